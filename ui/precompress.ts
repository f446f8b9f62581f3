import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const compressible = /\.(css|html|js|json|svg|txt)$/
// Below this a compressed file saves no packet.
const smallest = 1024

/**
 * Writes a .br and a .gz next to what shrinks: the server sends them as they
 * are, so it never compresses. It also keeps dist/.gitkeep, which the server's
 * embed directive needs before the first build and which Vite would empty away.
 */
export function precompress(): Plugin {
  let outDir = 'dist'
  return {
    name: 'streamflow-precompress',
    apply: 'build',
    configResolved(config) {
      outDir = config.build.outDir
    },
    closeBundle() {
      writeFileSync(join(outDir, '.gitkeep'), '')
      const entries = readdirSync(outDir, { recursive: true, withFileTypes: true })
      for (const entry of entries) {
        const file = join(entry.parentPath, entry.name)
        if (!entry.isFile() || !compressible.test(entry.name)) continue
        const content = readFileSync(file)
        if (content.length < smallest) continue
        writeFileSync(`${file}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }))
        writeFileSync(`${file}.br`, brotliCompressSync(content))
      }
    },
  }
}
