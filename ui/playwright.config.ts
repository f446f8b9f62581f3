import { defineConfig } from '@playwright/test'

// The tests run against a running system: `streamflow up`, or STREAMFLOW_URL.
export default defineConfig({
  projects: [
    { name: 'e2e', testDir: 'e2e' },
    // Elsewhere: each run clears its directory, and pictures are kept.
    { name: 'load', testDir: 'load', outputDir: 'test-results-load' },
  ],
  timeout: 60_000,
  workers: 1,
  reporter: 'list',
  use: {
    baseURL: process.env.STREAMFLOW_URL ?? 'http://127.0.0.1:8080',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    },
  },
})
