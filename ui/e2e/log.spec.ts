import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, type Page, test } from '@playwright/test'
import { openLive } from './page'
import { told } from './system'

const full = 10_000
const rate = 2500

let flood: ChildProcess | undefined

/** Real events, at thousands a second, beside the ticks. */
function begin(): void {
  const args = ['simulate', 'events', '--kafka', told('KAFKA'), '--rate', String(rate)]
  flood = spawn(told('BINARY'), args, { stdio: 'ignore' })
}

test.afterEach(async () => {
  if (!flood || flood.exitCode !== null || flood.signalCode !== null) return
  flood.kill('SIGTERM')
  await once(flood, 'exit')
})

const rowsOf = (page: Page) => page.getByRole('table', { name: 'Messages' }).locator('tbody tr')
const boxOf = (page: Page) => page.getByRole('region', { name: 'Messages, table' })

/** How many messages the log says that it has. */
async function shown(page: Page): Promise<number> {
  const text = await page.getByText(/[\d,]+ shown/).textContent()
  return Number(/([\d,]+) shown/.exec(text ?? '')?.[1]?.replaceAll(',', '') ?? Number.NaN)
}

async function fill(page: Page): Promise<void> {
  await openLive(page, '/inspector')
  await page.keyboard.press('v') // results that still grow count too
  begin()
  await expect.poll(() => shown(page), { timeout: 60_000 }).toBe(full)
}

test('a log of ten thousand messages, at thousands a second, is a few rows that scroll', async ({ page }) => {
  test.setTimeout(120_000)
  await fill(page)
  const few = async () => expect(await rowsOf(page).count()).toBeLessThan(80)
  await few()
  await expect(page.getByRole('table', { name: 'Messages' })).toHaveAttribute('aria-rowcount', `${full + 1}`)

  // What somebody reads stays where it is, though hundreds come above it.
  const box = boxOf(page)
  await box.evaluate((element) => {
    element.scrollTop = 2000 * 24
  })
  await expect(rowsOf(page).nth(20)).toBeVisible()
  const moved = await box.evaluate(async (element) => {
    const middle = element.getBoundingClientRect().top + element.clientHeight / 2
    const row = [...element.querySelectorAll('tbody tr')].find(
      (one) => one.getBoundingClientRect().bottom > middle,
    )
    if (!row) throw new Error('no row is in the middle')
    const index = () => Number(row.getAttribute('aria-rowindex'))
    const begin = { top: row.getBoundingClientRect().top, index: index(), at: performance.now() }
    let by = 0
    while (performance.now() - begin.at < 1200) {
      await new Promise((drawn) => requestAnimationFrame(drawn))
      if (!row.isConnected) throw new Error('the row is gone')
      by = Math.max(by, Math.abs(row.getBoundingClientRect().top - begin.top))
    }
    return { by, rows: index() - begin.index }
  })
  expect(moved.rows).toBeGreaterThan(100)
  expect(moved.by).toBeLessThanOrEqual(1)
  await few()

  await page.keyboard.press('p')
  await box.evaluate((element) => {
    element.scrollTop = element.scrollHeight
  })
  await expect(page.locator(`tr[aria-rowindex="${full + 1}"]`)).toBeInViewport()
  await few()
})

test('ten thousand messages are paused, filtered, and go on', async ({ page }) => {
  test.setTimeout(120_000)
  await fill(page)
  await page.keyboard.press('p')
  await expect(page.getByText(/10,000 shown, [\d,]*\d{3} passed by/)).toBeVisible({ timeout: 20_000 })
  const first = () => rowsOf(page).first().textContent()
  const before = await first()
  await page.waitForTimeout(700)
  expect(await first()).toBe(before)

  // The ticks among the events.
  await page.keyboard.press('/')
  await page.keyboard.type('"price":')
  await page.getByLabel('Symbol or key').fill('ticks.')
  await expect.poll(() => shown(page)).toBeLessThan(full / 2)
  expect(await shown(page)).toBeGreaterThan(0)
  for (const name of await rowsOf(page).locator('th').allTextContents()) expect(name).toMatch(/^ticks\./)
  await page.getByLabel('Text in the payload').fill('of no message')
  await expect(page.getByRole('heading', { name: 'Nothing passes the filter' })).toBeVisible()
  await page.getByLabel('Text in the payload').fill('')
  await page.getByLabel('Symbol or key').fill('')
  await expect.poll(() => shown(page)).toBe(full)

  await page.getByRole('button', { name: 'Resume' }).click()
  await expect.poll(first).not.toBe(before)
  await page.getByRole('button', { name: 'Clear' }).click()
  await expect.poll(() => shown(page)).toBeLessThan(full)
})
