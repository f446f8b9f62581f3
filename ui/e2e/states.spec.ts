import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { openLive, schemes, sizes } from './page'

const reason = 'the database is not connected'

/** Makes the API fail for a page, or answer not at all; the websocket goes on. */
async function spoil(page: Page, how: 'fails' | 'is silent'): Promise<void> {
  await page.route(/\/api\//, (route) =>
    how === 'fails'
      ? route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          body: JSON.stringify({ status: 503, title: 'Service Unavailable', detail: reason }),
        })
      : undefined,
  )
}

/** Each screen with the words that say what is missing there, and what it says while it waits. */
const screens = [
  { address: '/', failed: reason, loading: null },
  { address: '/s/AAPL', failed: reason, loading: 'Loading candles of AAPL…' },
  { address: '/alerts', failed: 'The rules cannot be read', loading: 'Loading rules…' },
  { address: '/functions', failed: 'The functions cannot be read', loading: 'Loading functions…' },
  { address: '/pipeline', failed: 'The pipeline cannot be read', loading: 'Loading the pipeline…' },
  { address: '/inspector?journey=stock_ticks/0/1', failed: reason, loading: null },
]

for (const colorScheme of schemes) {
  for (const size of Object.keys(sizes) as (keyof typeof sizes)[]) {
    test(`what cannot be read is told on every screen, and can be tried again: ${colorScheme}, ${size}`, async ({
      browser,
    }) => {
      test.setTimeout(240_000)
      const context = await browser.newContext({ colorScheme, viewport: sizes[size] })
      for (const { address, failed } of screens) {
        const page = await context.newPage()
        await spoil(page, 'fails')
        await openLive(page, address)
        await expect(page.getByText(failed).first(), address).toBeVisible({ timeout: 20_000 })
        const name = address.replace(/\W+/g, '-')
        await page.screenshot({ path: `test-results/states/failed${name}-${colorScheme}-${size}.png` })
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect.soft(violations.map(({ id, nodes }) => `${address} ${id} ${nodes[0]?.html}`)).toEqual([])
        await page.unroute(/\/api\//)
        const again = page.getByRole('button', { name: /^Try again/ })
        // What was read again by itself meanwhile has no button any more.
        for (let count = await again.count(); count > 0; count--) {
          await again
            .first()
            .click({ timeout: 3000 })
            .catch(() => undefined)
        }
        await expect(page.getByText(failed), address).toHaveCount(0, { timeout: 20_000 })
        await page.close()
      }
      await context.close()
    })
  }
}

test('a screen that waits says for what', async ({ context }) => {
  test.setTimeout(120_000)
  for (const { address, loading } of screens) {
    if (loading === null) continue
    const page = await context.newPage()
    await spoil(page, 'is silent')
    await openLive(page, address)
    await expect(page.getByText(loading), address).toBeVisible()
    await page.close()
  }
})

test('an address without its symbol, and one without a screen, say where to go', async ({ page }) => {
  await openLive(page, '/s/NOPE')
  await expect(page.getByRole('heading', { name: 'There is no symbol NOPE' })).toBeVisible()
  await page.getByRole('link', { name: 'all that there are' }).click()
  await expect(page).toHaveURL('/')
  await openLive(page, '/nowhere')
  await expect(page.getByRole('heading', { name: 'There is no such screen' })).toBeVisible()
})
