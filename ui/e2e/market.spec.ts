import { expect, test } from '@playwright/test'
import { complaints, look, openMarket, schemes, sizes } from './page'

test('the prices move, and the connection is live', async ({ page }) => {
  const found = complaints(page)
  await openMarket(page)
  const prices = page.locator('[data-cell="last"]')
  const before = await prices.allTextContents()
  await expect.poll(async () => prices.allTextContents(), { timeout: 10_000 }).not.toEqual(before)
  await expect(page.locator('tr:not([data-stale]) [data-cell="age"]').first()).toHaveText(/^\ds$/)
  await expect(page.locator('[data-figure="latency"] dd')).toHaveText(/\d m?s$/)
  await expect(page.locator('polyline').first()).toHaveAttribute('points', /\d/)
  expect(found).toEqual([])
})

test('the filter, the order and the rows work by keyboard alone', async ({ page }) => {
  const symbols = await openMarket(page)
  const rows = page.locator('tr[data-symbol]')
  const symbol = symbols.at(-1) ?? ''
  await page.keyboard.press('/')
  await page.keyboard.type(symbol.toLowerCase())
  await expect(page.locator(`tr[data-symbol="${symbol}"]`)).toBeVisible()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Symbol', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('columnheader', { name: 'Symbol' })).toHaveAttribute('aria-sort', 'descending')
  const shown = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-symbol') ?? ''))
  expect(shown).toEqual([...shown].sort().reverse())

  await page.locator('body').press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('p')
  await expect(rows.first()).toHaveAttribute('data-symbol', shown[1] ?? '')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(`/s/${shown[1]}`)
})

test('the palette, the help and the screens are found by keyboard', async ({ page }) => {
  const [symbol = ''] = await openMarket(page)
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Symbol, screen or action').fill(symbol)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: symbol })).toBeVisible()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toContainText('High-rate mode')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Shift+S')
  await expect(page).toHaveURL('/settings')
})

test('prices that change move nothing, and a row opens wherever it is clicked', async ({ page }) => {
  await openMarket(page)
  await page.getByRole('combobox', { name: 'Group by' }).click()
  await page.getByRole('option', { name: 'By letter' }).click()
  const places = () =>
    page
      .locator('tr[data-symbol] :is(th, td)')
      .evaluateAll((cells) => cells.map((cell) => JSON.stringify(cell.getBoundingClientRect())))
  const before = await places()
  const prices = page.locator('[data-cell="last"]')
  const texts = await prices.allTextContents()
  await expect(page.locator('[data-flash]').first()).toBeVisible({ timeout: 10_000 })
  await expect.poll(() => prices.allTextContents(), { timeout: 10_000 }).not.toEqual(texts)
  expect(await places()).toEqual(before)
  const row = page.locator('tr[data-symbol]').first()
  const symbol = await row.getAttribute('data-symbol')
  // The link lies over all of the row.
  await row.locator('[data-cell="volume"]').click({ force: true })
  await expect(page).toHaveURL(`/s/${symbol}`)
})

test('a sparkline is there as soon as its hour was read', async ({ page }) => {
  let read = 0
  page.on('response', (response) => {
    if (read === 0 && /candles\?.*limit=61/.test(response.url())) read = Date.now()
  })
  await openMarket(page)
  await expect.poll(() => read).toBeGreaterThan(0)
  await page.waitForFunction(
    () => (document.querySelector('polyline')?.getAttribute('points')?.split(' ').length ?? 0) > 2,
  )
  expect(Date.now() - read).toBeLessThan(1000)
})

test('a reader who disconnects sees old prices at once, and live ones when connected again', async ({
  page,
}) => {
  await openMarket(page)
  await page.keyboard.press('Shift+C')
  await expect(page.locator('tr[data-symbol]').first()).toHaveAttribute('data-stale', 'true')
  await page.keyboard.press('Shift+C')
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Live')
  await expect(page.locator('tr[data-symbol]:not([data-stale])').first()).toBeVisible()
})

test('high-rate mode gets every tick', async ({ page }) => {
  await openMarket(page)
  const volume = page.locator('[data-cell="volume"]').first()
  await page.keyboard.press('Shift+H')
  const before = await volume.textContent()
  await expect(volume).not.toHaveText(before ?? '', { timeout: 15_000 })
})

test('an address inside the page opens it, and a wrong file does not', async ({ request }) => {
  expect((await request.get('/s/BRK.B')).status()).toBe(200)
  expect((await request.get('/assets/none.js')).status()).toBe(404)
})

for (const colorScheme of schemes) {
  for (const size of Object.keys(sizes) as (keyof typeof sizes)[]) {
    test(`the market looks right: ${colorScheme}, ${size}`, async ({ browser }) => {
      const open = async (page: Parameters<typeof openMarket>[0]) => {
        await openMarket(page)
        await page.waitForTimeout(1500)
      }
      await look({ browser, name: 'market', colorScheme, size, open })
      await look({
        ...{ browser, name: 'cards', colorScheme, size },
        open: async (page) => {
          await openMarket(page)
          await page.keyboard.press('v')
          await expect(page.getByRole('article').first()).toBeVisible()
          await page.waitForTimeout(1000)
        },
      })
    })
  }
}
