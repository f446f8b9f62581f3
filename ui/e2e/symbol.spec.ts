import { type APIRequestContext, expect, type Page, test } from '@playwright/test'
import { complaints, look, openLive, openMarket, schemes, sizes } from './page'

const studies = 'ind=sma(20);bollinger(20,2);rsi(14);macd(12,26,9)'

/** Opens the chart of a symbol and waits for its candles. */
async function openChart(page: Page, symbol: string, search = ''): Promise<void> {
  await openLive(page, `/s/${symbol}?${search}`)
  await expect(page.locator('[data-value="close"]')).toHaveText(/\d/)
}

test('the candle grows, and another interval and symbol need no mouse', async ({ page }) => {
  const found = complaints(page)
  const [first = '', second = ''] = await openMarket(page)
  await openChart(page, first)
  const volume = page.locator('[data-value="volume"]')
  const before = await volume.textContent()
  await expect(volume).not.toHaveText(before ?? '', { timeout: 15_000 })

  await page.keyboard.press('1')
  await expect(page).toHaveURL(/interval=1s/)
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('heading', { level: 1, name: second })).toBeVisible()
  await page.keyboard.type(first.toLowerCase())
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: first })).toBeVisible()
  await expect(page).toHaveURL(new RegExp(`/s/${first}\\?interval=1s`))
  expect(found).toEqual([])
})

test('who comes back to a symbol asks only for what came since', async ({ page }) => {
  const [first = '', second = ''] = await openMarket(page)
  await openChart(page, first)
  await openSymbol(page, second)
  const asked: string[] = []
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.pathname === `/api/stocks/${first}/candles`) asked.push(url.search)
  })
  await openSymbol(page, first)
  await expect(page.locator('[data-value="close"]')).toHaveText(/\d/)
  await page.waitForTimeout(500)
  expect(asked.every((search) => search.includes('from='))).toBe(true)
})

async function openSymbol(page: Page, symbol: string): Promise<void> {
  await page.getByRole('complementary', { name: 'Watchlist' }).getByRole('link', { name: symbol }).click()
  await expect(page.getByRole('heading', { level: 1, name: symbol })).toBeVisible()
}

test('an indicator is chosen with its numbers, and stands in the address', async ({ page }) => {
  const [symbol = ''] = await openMarket(page)
  await openChart(page, symbol)
  await page.getByRole('button', { name: 'Indicators' }).click()
  await page.getByLabel('Find an indicator').fill('rsi')
  await page.getByRole('button', { name: /^rsi/ }).click()
  await page.getByRole('textbox', { name: 'n' }).fill('7')
  await page.getByRole('button', { name: 'Add to the chart' }).click()
  await expect(page).toHaveURL(/ind=rsi/)
  await expect(page.locator('[data-value="= rsi_7"]')).toHaveText(/\d/)
  await page.getByRole('button', { name: 'Remove rsi(7)' }).click()
  await expect(page).not.toHaveURL(/ind=/)
})

test('a price alert is a line: made, moved with the mouse, removed', async ({ page, request }) => {
  const [symbol = ''] = await openMarket(page)
  const left = await (await request.get(`/api/rules?symbol=${symbol}`)).json()
  for (const { id } of left.rules) await request.delete(`/api/rules/${id}`)
  await openChart(page, symbol, 'interval=1m')
  await page.getByRole('button', { name: 'Alerts', exact: true }).click()
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByLabel(/^Price of .*price crosses above/)).toBeVisible()
  const stored = async () => {
    const { rules } = await (await request.get(`/api/rules?symbol=${symbol}`)).json()
    return rules.map(({ when }: { when: string }) => when)
  }
  const [when = ''] = await stored()
  await page.keyboard.press('Escape')

  const chart = page.getByRole('figure', { name: /^Chart of/ })
  const box = await chart.boundingBox()
  if (!box) throw new Error('the chart has no box')
  const x = box.x + box.width / 2
  // The line is where the pointer can take it.
  let y = box.y + 10
  for (; y < box.y + box.height; y += 4) {
    await page.mouse.move(x, y)
    if ((await chart.getAttribute('data-grab')) === 'true') break
  }
  await page.mouse.down()
  await page.mouse.move(x, y + 30, { steps: 4 })
  await page.mouse.up()
  await expect.poll(async () => (await stored())[0]).not.toBe(when)

  await page.getByRole('button', { name: /^Alerts/ }).click()
  await page.getByRole('button', { name: /^Remove/ }).click()
  await expect.poll(stored).toEqual([])
})

test('the table holds the numbers of the chart, and the data can be taken away', async ({ page }) => {
  const [symbol = ''] = await openMarket(page)
  await openChart(page, symbol)
  const picture = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export' }).click()
  await page.getByRole('menuitem', { name: 'Picture (PNG)' }).click()
  expect((await picture).suggestedFilename()).toBe(`${symbol}-1m.png`)
  const data = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export' }).click()
  await page.getByRole('menuitem', { name: 'Candles in sight (CSV)' }).click()
  expect((await data).suggestedFilename()).toMatch(/\.csv$/)
  await page.keyboard.press('Shift+T')
  await expect(
    page
      .getByRole('region', { name: `Candles of ${symbol}` })
      .getByRole('row')
      .nth(3),
  ).toBeVisible()
})

test('the way a chart is drawn, its range and its symbol change, and its indicators stay', async ({
  page,
}) => {
  const [symbol = '', other = ''] = await openMarket(page)
  await openChart(page, symbol, 'range=24H&ind=sma(20)')
  // A link that names a range only shows the candles that fit it.
  await expect(page.getByRole('radio', { name: '5m', exact: true })).toBeChecked()
  for (const style of ['Bars', 'Line', 'Area', 'Candles']) {
    await page.getByRole('combobox', { name: 'Chart style' }).click()
    await page.getByRole('option', { name: style }).click()
    await expect(page).toHaveURL(new RegExp(`style=${style.toLowerCase()}`))
  }
  await page.getByRole('button', { name: '15m', exact: true }).click()
  await expect(page).toHaveURL(/range=15m/)
  await expect(page.getByRole('radio', { name: '1s', exact: true })).toBeChecked()
  await page.getByRole('complementary', { name: 'Watchlist' }).getByRole('link', { name: other }).click()
  await expect(page.getByRole('heading', { level: 1, name: other })).toBeVisible()
  await expect(page).toHaveURL(/ind=sma/)
  await expect(page.locator('[data-value="= sma_20"]')).toHaveText(/\d/)
})

test('who goes back in time gets older candles', async ({ page }) => {
  const [symbol = ''] = await openMarket(page)
  await openChart(page, symbol, 'interval=1s')
  const older: number[] = []
  page.on('response', (response) => {
    if (/candles\?.*cursor=/.test(response.url())) older.push(response.status())
  })
  // How far back the chart begins depends on how long the system has been running.
  await expect(async () => {
    for (let press = 0; press < 30; press++) await page.keyboard.press('ArrowLeft')
    expect(older).toContain(200)
  }).toPass({ timeout: 50_000 })
})

test('a late tick makes a candle between others, and the chart has it in its lines too', async ({
  page,
  request,
}) => {
  const found = complaints(page)
  const [symbol = '', other = ''] = await openMarket(page)
  await openChart(page, symbol, `interval=1s&ind=sma(20);rsi(14)&cmp=${other}`)
  await expect(page.locator('[data-value="= sma_20"]')).toHaveText(/\d/)
  const times: Record<string, number> = {}
  for (const late of [symbol, other]) {
    const { time, price } = await gap(request, late)
    const tick = { symbol: late, price, volume: 1, timestamp: new Date(time).toISOString() }
    expect((await request.post('/api/ticks', { data: tick })).ok()).toBe(true)
    await expect.poll(async () => (await seconds(request, late)).get(time), { timeout: 20_000 }).toBe(price)
    times[late] = time
  }
  // What reads the values of indicators has been round since.
  await page.waitForTimeout(3000)
  await page.keyboard.press('Shift+T')
  const second = new Date(times[symbol] ?? 0).toISOString().slice(11, 19)
  await expect(
    page
      .getByRole('region', { name: `Candles of ${symbol}` })
      .getByRole('row')
      .filter({ hasText: second }),
  ).toBeVisible()
  expect(found).toEqual([])
})

test('a value of an indicator that comes before its candle waits for it', async ({ page, request }) => {
  const found = complaints(page)
  const [symbol = ''] = await openMarket(page)
  await openChart(page, symbol, 'interval=1s&ind=sma(20)')
  await expect(page.locator('[data-value="= sma_20"]')).toHaveText(/\d/)
  const start = new Date((await gap(request, symbol)).time).toISOString()
  let told = 0
  await page.route(`**/api/stocks/${symbol}/indicators*`, async (route) => {
    const answer = await (await route.fetch()).json()
    answer.points = [{ time: start, values: { sma_20: 1 } }, ...answer.points]
    await route.fulfill({ json: answer })
    told++
  })
  await expect.poll(() => told, { timeout: 15_000 }).toBeGreaterThan(2)
  await expect(page.locator('[data-value="= sma_20"]')).toHaveText(/\d/)
  expect(found).toEqual([])
})

/** The closing prices of a symbol by the start of their second, unix ms. */
async function seconds(request: APIRequestContext, symbol: string): Promise<Map<number, number>> {
  const answer = await request.get(`/api/stocks/${symbol}/candles`, {
    params: { interval: '1s', limit: 60 },
  })
  const { candles } = await answer.json()
  return new Map(
    candles.map((candle: { start: string; close: number }) => [Date.parse(candle.start), candle.close]),
  )
}

/** A second of the last half minute in which a symbol has no candle, and the price before it. */
async function gap(request: APIRequestContext, symbol: string): Promise<{ time: number; price: number }> {
  const known = await seconds(request, symbol)
  const newest = Math.max(...known.keys())
  for (let time = newest - 5000; time > newest - 30_000; time -= 1000) {
    const price = known.get(time - 1000)
    if (!known.has(time) && price) return { time, price }
  }
  throw new Error(`${symbol} has a candle in each second`)
}

test('other symbols are compared in per cent', async ({ page }) => {
  const [symbol = '', other = ''] = await openMarket(page)
  await openChart(page, symbol, 'interval=1m')
  await page.getByRole('button', { name: /^Compare/ }).click()
  await page.getByRole('combobox', { name: 'Compare with, in per cent' }).fill(other)
  await page.getByRole('option', { name: other }).click()
  await expect(page).toHaveURL(new RegExp(`cmp=${other}`))
  await expect(page.getByRole('button', { name: 'Compare (1)' })).toBeVisible()
})

test('a paused chart stands still, and goes on', async ({ page }) => {
  const [symbol = ''] = await openMarket(page)
  await openChart(page, symbol, 'interval=1s')
  await page.keyboard.press('Space')
  await expect(page.getByText('Paused: the chart stands still')).toBeVisible()
  await page.keyboard.press('Space')
  await expect(page.getByText('Paused: the chart stands still')).toBeHidden()
})

for (const colorScheme of schemes) {
  for (const size of Object.keys(sizes) as (keyof typeof sizes)[]) {
    test(`the symbol and the settings look right: ${colorScheme}, ${size}`, async ({ browser, request }) => {
      // Six screens, each looked at by axe: on two shared cores that takes its time.
      test.setTimeout(240_000)
      const { stocks } = await (await request.get('/api/stocks')).json()
      const [one, two, three] = stocks.map((stock: { symbol: string }) => stock.symbol)
      await look({
        ...{ browser, name: 'symbol', colorScheme, size },
        open: async (page) => {
          await openChart(page, one, studies)
          await expect(page.locator('[data-value="= sma_20"]')).toHaveText(/\d/)
          await page.waitForTimeout(1000)
        },
      })
      await look({
        ...{ browser, name: 'compare', colorScheme, size },
        open: async (page) => {
          await openChart(page, one, `interval=1s&range=15m&style=area&cmp=${two},${three}`)
          await page.waitForTimeout(2000)
        },
      })
      for (const range of ['7D', '30D']) {
        await look({
          ...{ browser, name: `symbol-${range}`, colorScheme, size },
          open: async (page) => {
            await openChart(page, one, `interval=1h&range=${range}`)
            await page.waitForTimeout(1000)
          },
        })
      }
      await look({
        ...{ browser, name: 'table', colorScheme, size },
        open: async (page) => {
          await openChart(page, one)
          await page.getByRole('button', { name: 'Show as a table' }).click()
          await page.waitForTimeout(500)
        },
      })
      await look({
        ...{ browser, name: 'settings', colorScheme, size },
        open: async (page) => {
          await openLive(page, '/settings')
          await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible()
        },
      })
    })
  }
}
