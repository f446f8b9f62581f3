import { get } from 'node:http'
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test'
import { quantile } from './watch'

/** What the first screen may need, gzipped (bytes). */
const limit = 350_000
const rounds = 5

interface Loaded {
  /** since the address was asked for, in ms */
  firstPrice: number
  firstPaint: number
  largestPaint: number
  /** of tasks, what is above 50 ms each, until the first price (ms) */
  blocked: number
  /** paths of what was loaded, with the bytes that came over the wire for each (0 from the cache) */
  files: { path: string; wire: number; body: number }[]
}

declare global {
  interface Window {
    opening: Omit<Loaded, 'files'>
  }
}

/** Notes how the page opens, from its first moment on. */
function note(): void {
  const opening = { firstPrice: 0, firstPaint: 0, largestPaint: 0, blocked: 0 }
  window.opening = opening
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) {
      if (name === 'first-contentful-paint') opening.firstPaint = startTime
    }
  }).observe({ type: 'paint', buffered: true })
  new PerformanceObserver((list) => {
    opening.largestPaint = list.getEntries().at(-1)?.startTime ?? 0
  }).observe({ type: 'largest-contentful-paint', buffered: true })
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      if (!opening.firstPrice || startTime < opening.firstPrice) opening.blocked += duration - 50
    }
  }).observe({ type: 'longtask', buffered: true })
  const look = () => {
    if (/\d/.test(document.querySelector('[data-cell="last"]')?.textContent ?? '')) {
      opening.firstPrice = performance.now()
    } else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

async function load(page: Page): Promise<Loaded> {
  await page.addInitScript(note)
  await page.goto('/', { waitUntil: 'commit' })
  await page.waitForFunction(() => window.opening?.firstPrice > 0)
  // What is loaded after the first price belongs to the first screen too.
  await page.waitForLoadState('networkidle').catch(() => undefined)
  return page.evaluate(() => {
    const entries = [
      ...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource'),
    ]
    const files = (entries as PerformanceResourceTiming[]).map(({ name, transferSize, encodedBodySize }) => ({
      path: new URL(name).pathname,
      wire: transferSize,
      body: encodedBodySize,
    }))
    return { ...window.opening, files }
  })
}

/** How long a file is when it is asked for with gzip, in bytes. */
function gzipped(url: string): Promise<number> {
  return new Promise((done, failed) => {
    get(url, { headers: { 'Accept-Encoding': 'gzip' } }, (answer) => {
      let bytes = 0
      if (answer.statusCode !== 200) failed(new Error(`${url} answers ${answer.statusCode}`))
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      answer.on('end', () => done(bytes))
      answer.on('error', failed)
    }).on('error', failed)
  })
}

const ownFiles = ({ files }: Loaded) =>
  files.filter(({ path }) => !path.startsWith('/api/') && path !== '/ws')

/** Opens the page in a browser that knows nothing of it, and again in one that has been there. */
async function rounded(browser: Browser): Promise<Record<'cold' | 'warm', Loaded[]>> {
  const cold: Loaded[] = []
  const warm: Loaded[] = []
  for (let round = 0; round < rounds; round++) {
    const context: BrowserContext = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    for (const kind of [cold, warm]) {
      const page = await context.newPage()
      kind.push(await load(page))
      await page.close()
    }
    await context.close()
  }
  return { cold, warm }
}

test('the first screen is small, and soon there', async ({ browser, baseURL }) => {
  test.setTimeout(300_000)
  const { cold, warm } = await rounded(browser)
  const first = cold[0]
  if (!first) throw new Error('nothing was loaded')
  const files = ownFiles(first)
  const sizes = await Promise.all(files.map(({ path }) => gzipped(`${baseURL}${path}`)))
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const kilo = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
  const line = (name: string, ...cells: string[]) =>
    console.log(`  ${name.padEnd(34)}${cells.map((cell) => cell.padStart(14)).join('')}`)

  console.log(`\nThe first screen (${files.length} files, ${rounds} rounds, medians):\n`)
  line('', 'brotli', 'gzip')
  for (const [at, { path, body }] of files.entries()) line(path.slice(-34), kilo(body), kilo(sizes[at] ?? 0))
  line('all', kilo(sum(files.map(({ body }) => body))), kilo(sum(sizes)))
  line('may be', '', kilo(limit))
  console.log('')
  line('', 'cold', 'warm')
  const times = {
    'first paint': 'firstPaint',
    'largest paint': 'largestPaint',
    'first price': 'firstPrice',
  } as const
  const median = (loads: readonly Loaded[], pick: (loaded: Loaded) => number) =>
    quantile(loads.map(pick), 0.5)
  for (const [name, key] of Object.entries(times)) {
    line(name, ...[cold, warm].map((loads) => `${median(loads, (loaded) => loaded[key]).toFixed(0)} ms`))
  }
  line('blocked', ...[cold, warm].map((loads) => `${median(loads, ({ blocked }) => blocked).toFixed(0)} ms`))
  const wire = (loaded: Loaded) => sum(ownFiles(loaded).map((file) => file.wire))
  line('over the wire', ...[cold, warm].map((loads) => kilo(median(loads, wire))))
  console.log('')

  expect(files.length).toBeGreaterThan(3)
  expect(sum(sizes)).toBeLessThan(limit)
  // Files are named by what is in them: who has been here loads nothing but the page itself.
  expect(median(warm, wire)).toBeLessThan(20_000)
})
