import { cpus, loadavg } from 'node:os'
import { expect, type Page, test } from '@playwright/test'
import { openMarket } from '../e2e/page'
import { Engine, type Spent } from './engine'
import { type Counts, quantile, slope, take, watch } from './watch'

// `go tool task ui:soak` starts the system at a rate and says here for how long.
const minutes = Number(process.env.SOAK_MINUTES ?? 10)
const wanted = Number(process.env.SOAK_RATE ?? 0)
/** Up to this rate (messages a second) the server may leave nothing out of what the page wants in full. */
const nominal = 5000
const samples = Math.max(5, Math.round(minutes * 3))
const period = (minutes * 60_000) / samples
/** What the heap may grow by over the whole time, after garbage (bytes): the lines of an hour grow by less. */
const mayGrow = 4 << 20

interface Sample extends Counts {
  before: Spent
  after: Spent
  rate: number
  dropped: number
  conflated: number
  lost: string[]
}

test('the market bears every tick for as long as it is open', async ({ page }) => {
  test.setTimeout(minutes * 60_000 + 240_000)
  await watch(page)
  await page.setViewportSize({ width: 1440, height: 900 })
  const symbols = await openMarket(page)
  await page.keyboard.press('Shift+H')
  await expect(page.locator('[data-figure="conflated"]')).toHaveAttribute('title', /^High-rate mode/)
  const engine = await Engine.of(page)
  const taken: Sample[] = []
  // The first one is thrown away: it warms up.
  for (let at = -1; at < samples; at++) {
    const before = await engine.kept()
    await take(page)
    const lost = await use(page, symbols, at < 0 ? Math.min(period, 15_000) : period)
    const counts = await take(page)
    const after = await engine.spent()
    if (at >= 0) taken.push({ ...counts, before, after, lost, ...(await figures(page)) })
  }
  const end = await engine.kept()
  const growth = tell(taken, end)
  // Whatever the machine bears: a page that nothing came to was not tested.
  expect(
    quantile(
      taken.map(({ rate }) => rate),
      0.5,
    ),
  ).toBeGreaterThan(wanted / 10)
  expect(taken.flatMap(({ lost }) => lost)).toEqual([])
  if (wanted <= nominal) expect(taken.at(-1)?.dropped).toBe(0)
  expect(growth).toBeLessThan(mayGrow)
})

/** Uses the page like somebody who works with it, for ms; returns what it did not take. */
async function use(page: Page, symbols: readonly string[], ms: number): Promise<string[]> {
  const lost: string[] = []
  const until = performance.now() + ms
  const filter = page.getByRole('searchbox', { name: 'Filter symbols' })
  for (let round = 0; performance.now() < until; round++) {
    const text = symbols[(7 * round) % symbols.length] ?? ''
    await page.locator('body').press('/')
    await page.keyboard.type(text)
    const value = await filter.inputValue()
    if (value !== text) lost.push(`typed ${text}, the filter has ${value}`)
    await page.keyboard.press('Escape')
    if ((await filter.inputValue()) !== '') lost.push('Escape did not empty the filter')
    await filter.blur()
    const head = page.getByRole('columnheader', { name: 'Symbol' })
    const order = await head.getAttribute('aria-sort')
    await head.getByRole('button').click()
    const changed = expect(head).not.toHaveAttribute('aria-sort', order ?? '', { timeout: 2000 })
    await changed.catch(() => lost.push('a click on the head of a column did not order the rows'))
    await page.waitForTimeout(Math.max(0, Math.min(3000, until - performance.now())))
  }
  return lost
}

async function figures(page: Page): Promise<Pick<Sample, 'rate' | 'dropped' | 'conflated'>> {
  const read = async (name: string) => {
    const text = (await page.locator(`[data-figure="${name}"] dd`).textContent()) ?? ''
    const factor = { K: 1e3, M: 1e6 }[text.at(-1) ?? ''] ?? 1
    return factor * Number(text.replaceAll(/[^\d.]/g, ''))
  }
  return { rate: await read('rate'), dropped: await read('dropped'), conflated: await read('conflated') }
}

/** Prints what was measured, and returns by how many bytes the heap grew, as the line says that fits best. */
function tell(taken: readonly Sample[], end: Spent): number {
  const share = (pick: (spent: Spent) => number) => {
    const [of, wall] = taken.reduce(
      ([sum, time], { before, after }) => [sum + pick(after) - pick(before), time + after.at - before.at],
      [0, 0],
    )
    return `${((100 * of) / wall).toFixed(1)} %`
  }
  const fps = taken.flatMap((sample) => sample.fps)
  const delays = taken.flatMap((sample) => sample.delays)
  const long = taken.map((sample) => sample.long)
  const heaps = [...taken.map(({ before }) => before), end]
  const perSecond = slope(heaps.map(({ at, heap }) => ({ x: at, y: heap })))
  const growth = perSecond * ((heaps.at(-1)?.at ?? 0) - (heaps[0]?.at ?? 0))
  const mega = (bytes: number) => (bytes / (1 << 20)).toFixed(2)
  const kept = (pick: (spent: Spent) => number) => `${pick(heaps[0] ?? end)} → ${pick(end)}`
  const rows = {
    'updates a second': `median ${quantile(
      taken.map(({ rate }) => rate),
      0.5,
    ).toFixed(0)}`,
    'frames a second': `median ${quantile(fps, 0.5).toFixed(1)}, p5 ${quantile(fps, 0.05).toFixed(1)}`,
    'of the time': `script ${share((s) => s.script)}, style ${share((s) => s.style)}, layout ${share((s) => s.layout)}, all tasks ${share((s) => s.task)}`,
    'of one processor': `page ${share((s) => s.cpu.renderer)}, drawing ${share((s) => s.cpu.GPU)}, browser ${share((s) => s.cpu.browser)}`,
    machine: `${cpus().length} processors, load average ${loadavg()[0]?.toFixed(1)}`,
    'long tasks': `${long.reduce((sum, { count }) => sum + count, 0)}, together ${long.reduce((sum, { total }) => sum + total, 0).toFixed(0)} ms, the longest ${Math.max(...long.map(({ longest }) => longest)).toFixed(0)} ms`,
    'key or click to picture': `${delays.length} of 16 ms or more, median ${quantile(delays, 0.5).toFixed(0)} ms, p99 ${quantile(delays, 0.99).toFixed(0)} ms`,
    'heap after garbage, MB': heaps.map(({ heap }) => mega(heap)).join(' '),
    'heap growth': `${mega(growth)} MB in all, ${((60 * perSecond) / 1024).toFixed(1)} kB a minute (limit ${mega(mayGrow)} MB in all)`,
    'nodes, listeners': `${kept((s) => s.nodes)}, ${kept((s) => s.listeners)}`,
    'left out': `dropped ${taken.at(-1)?.dropped}, conflated ${taken.at(-1)?.conflated}`,
    'input lost': `${taken.reduce((sum, { lost }) => sum + lost.length, 0)}`,
  }
  const wide = Math.max(...Object.keys(rows).map((name) => name.length))
  console.log(`\nThe market with every tick, ${minutes} minutes:\n`)
  for (const [name, text] of Object.entries(rows)) console.log(`  ${name.padEnd(wide)}  ${text}`)
  console.log('')
  return growth
}
