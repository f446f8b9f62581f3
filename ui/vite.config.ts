import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { precompress } from './precompress.ts'
import { scalar } from './scalar.ts'

// The running system in front of which the page is developed.
const server = process.env.STREAMFLOW_URL ?? 'http://127.0.0.1:8080'
const proxy = {
  '/api': server,
  '/openapi.json': server,
  '/docs': server,
  '/asyncapi.json': server,
  '/ws': { target: server, ws: true },
}

export default defineConfig({
  plugins: [react(), scalar(), precompress()],
  resolve: {
    alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) },
  },
  server: { proxy },
  preview: { proxy },
  build: {
    target: 'es2023',
    // The page's policy has no data: scripts and the favicon is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The docs explorer is a page of its own: nothing of it is loaded by the other.
    rollupOptions: { input: ['index.html', 'docs.html'] },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/shared/test/setup.ts'],
    restoreMocks: true,
    // A busy machine is no failure; what hangs, hangs for longer than this too.
    testTimeout: 60_000,
  },
})
