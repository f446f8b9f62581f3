import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'

const sizes = {
  wide: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
}

/** The browser's complaints: a page that works makes none. */
function complaints(page: Page): string[] {
  const found: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(message.text())
  })
  page.on('pageerror', (error) => found.push(error.message))
  return found
}

async function openLive(page: Page): Promise<void> {
  await page.goto('/')
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Live')
  await expect(page.locator('tr[data-symbol]').first()).toBeVisible()
}

test('the prices move, and the connection is live', async ({ page }) => {
  const found = complaints(page)
  await openLive(page)
  const prices = page.locator('[data-cell="last"]')
  const before = await prices.allTextContents()
  await expect.poll(async () => prices.allTextContents(), { timeout: 10_000 }).not.toEqual(before)
  await expect(page.locator('tr:not([data-stale]) [data-cell="age"]').first()).toHaveText(/^\ds$/)
  expect(found).toEqual([])
})

test('the filter and the order work by keyboard alone', async ({ page }) => {
  await openLive(page)
  const rows = page.locator('tr[data-symbol]')
  const symbol = (await rows.last().getAttribute('data-symbol')) ?? ''
  await page.keyboard.press('/')
  await page.keyboard.type(symbol.toLowerCase())
  await expect(page.locator(`tr[data-symbol="${symbol}"]`)).toBeVisible()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Symbol' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('columnheader', { name: 'Symbol' })).toHaveAttribute('aria-sort', 'descending')
  const shown = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-symbol') ?? ''))
  expect(shown).toEqual([...shown].sort().reverse())
})

test('an address inside the page opens it, and a wrong file does not', async ({ request }) => {
  expect((await request.get('/symbols/BRK.B')).status()).toBe(200)
  expect((await request.get('/assets/none.js')).status()).toBe(404)
})

for (const colorScheme of ['dark', 'light'] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test(`${colorScheme} on a ${size} screen has no axe violation and nothing sideways`, async ({
      browser,
    }) => {
      const context = await browser.newContext({ colorScheme, viewport })
      const page = await context.newPage()
      const found = complaints(page)
      await openLive(page)
      await page.waitForTimeout(1500)
      await page.screenshot({ path: `test-results/market-${colorScheme}-${size}.png` })
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual(
        [],
      )
      const { scroll, client } = await page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth,
        client: document.documentElement.clientWidth,
      }))
      expect(scroll).toBeLessThanOrEqual(client)
      expect(found).toEqual([])
      await context.close()
    })
  }
}
