import { expect, test } from '@playwright/test'
import { openLive, openMarket } from './page'

test('each indicator is named in its own pane, wherever the borders of the panes are drawn to', async ({
  page,
}) => {
  const [symbol = ''] = await openMarket(page)
  await openLive(page, `/s/${symbol}?interval=1m&ind=sma(20);rsi(14);macd(12,26,9)`)
  const legend = (pane: number) => page.locator(`[data-pane="${pane}"]`)
  await expect(legend(0)).toContainText('sma(20)')
  await expect(legend(1)).toContainText('rsi(14)')
  await expect(legend(2)).toContainText('macd(12,26,9)')
  const chart = page.getByRole('figure', { name: /^Chart of/ })
  // A pane is a row of the chart's table, and so is each border between two.
  const rows = chart.locator('tr').filter({ has: page.locator('canvas') })
  const within = async (pane: number) => {
    const [name, area] = [await legend(pane).boundingBox(), await rows.nth(pane).boundingBox()]
    if (!name || !area) return false
    return name.y >= area.y && name.y + name.height <= area.y + area.height
  }
  for (const pane of [0, 1, 2]) await expect.poll(() => within(pane)).toBe(true)

  const area = await rows.nth(1).boundingBox()
  if (!area) throw new Error('the chart has no second pane')
  const before = (await legend(1).boundingBox())?.y ?? 0
  await page.mouse.move(area.x + 300, area.y - 1)
  await page.mouse.down()
  await page.mouse.move(area.x + 300, area.y - 81, { steps: 8 })
  await page.mouse.up()
  await expect.poll(async () => before - ((await legend(1).boundingBox())?.y ?? 0)).toBeGreaterThan(40)
  for (const pane of [0, 1, 2]) await expect.poll(() => within(pane)).toBe(true)
})

test('an indicator that has too few candles says so', async ({ page }) => {
  const [symbol = ''] = await openMarket(page)
  await openLive(page, `/s/${symbol}?interval=1d&ind=sma(200)`)
  await expect(page.locator('[data-pane="0"]')).toContainText(/sma\(200\)\s*needs more than \d+ candles/)
})

test('compared symbols have all of their past, whichever is read first', async ({ page }) => {
  const [symbol = '', other = ''] = await openMarket(page)
  // The candles of the one that is compared are there before those of the main one.
  await page.route(`**/api/stocks/${symbol}/candles*`, async (route) => {
    await new Promise((wake) => setTimeout(wake, 2500))
    await route.continue()
  })
  await openLive(page, `/s/${symbol}?interval=1m&cmp=${other}`)
  const chart = page.getByRole('figure', { name: /^Chart of/ })
  const purple = () =>
    chart
      .locator('canvas')
      .first()
      .evaluate((canvas: HTMLCanvasElement, token) => {
        const color = getComputedStyle(document.documentElement).getPropertyValue(token).trim()
        const wanted = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
        const { width, height } = canvas
        const { data } = canvas.getContext('2d')?.getImageData(0, 0, width, height) ?? { data: [] }
        let columns = 0
        for (let x = 0; x < width; x++) {
          for (let y = 0; y < height; y++) {
            const at = 4 * (y * width + x)
            if (wanted.every((part, channel) => Math.abs((data[at + channel] ?? 0) - part) < 12)) {
              columns++
              break
            }
          }
        }
        return columns / width
      }, '--sf-series-2')
  // One point would be a dash of some pixels: an hour of minutes is much of the width.
  await expect.poll(purple, { timeout: 20_000 }).toBeGreaterThan(0.2)
})

test('letters find a symbol and Space opens what has the focus, after a click in the toolbar too', async ({
  page,
}) => {
  const [symbol = ''] = await openMarket(page)
  await openLive(page, `/s/${symbol}?interval=1m`)
  await page.getByRole('radiogroup', { name: 'Interval' }).getByText('5m', { exact: true }).click()
  await expect(page).toHaveURL(/interval=5m/)
  await page.keyboard.press('t')
  await expect(page.getByRole('dialog', { name: 'Change the symbol' })).toBeVisible()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Indicators' }).focus()
  await page.keyboard.press('Space')
  await expect(page.getByLabel('Find an indicator')).toBeVisible()
})
