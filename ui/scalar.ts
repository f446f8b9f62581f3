import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/*
 * The docs explorer is one file of the package @scalar/api-reference (MIT). The
 * package itself cannot be a dependency: it wants a newer Node than this page
 * is built with, for what is not used here, and brings a framework. So npm
 * fetches its archive alone, and the archive must be the one named here.
 */
const archive = '@scalar/api-reference@1.72.1'
const integrity =
  'sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow=='
const wanted = 'package/dist/browser/standalone.js'

const cache = fileURLToPath(new URL('./node_modules/.cache/scalar', import.meta.url))
/** Where src/docs/main.ts takes it from. */
const file = join(cache, 'standalone-1.72.1.js')

/** Puts the docs explorer's script where the build takes it from, once. */
export function scalar(): Plugin {
  return {
    name: 'streamflow-scalar',
    apply: 'build',
    buildStart() {
      if (!existsSync(file)) fetchScript()
    },
  }
}

function fetchScript(): void {
  mkdirSync(dirname(file), { recursive: true })
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const out = execFileSync(
    npm,
    ['pack', archive, '--json', '--prefer-offline', '--pack-destination', cache],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    },
  )
  const [packed] = JSON.parse(out) as { filename: string }[]
  if (!packed) throw new Error(`npm pack ${archive} has named no file`)
  const bytes = readFileSync(join(cache, packed.filename))
  const sum = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  if (sum !== integrity) throw new Error(`${archive} is not what it should be: ${sum}`)
  // Renamed when whole: another build may look at the same time.
  const part = `${file}.${process.pid}`
  writeFileSync(part, fromTar(gunzipSync(bytes), wanted))
  renameSync(part, file)
}

/** Returns one file of a tar archive. */
function fromTar(tar: Buffer, name: string): Buffer {
  for (let at = 0; at + 512 <= tar.length; ) {
    const text = (from: number, length: number) =>
      tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '')
    const size = Number.parseInt(text(124, 12), 8) || 0
    const prefix = text(345, 155)
    if ((prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`) === name)
      return tar.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`${archive} holds no ${name}`)
}
