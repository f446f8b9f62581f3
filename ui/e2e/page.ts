import AxeBuilder from '@axe-core/playwright'
import { type Browser, expect, type Page } from '@playwright/test'

export const sizes = {
  wide: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
}

export const schemes = ['dark', 'light'] as const

/** The browser's complaints: a page that works makes none. */
export function complaints(page: Page): string[] {
  const found: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(message.text())
  })
  page.on('pageerror', (error) => found.push(error.message))
  return found
}

export async function openLive(page: Page, path = '/'): Promise<void> {
  await page.goto(path)
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Live', { timeout: 20_000 })
}

/** Opens a market whose prices are there, and returns its symbols. */
export async function openMarket(page: Page): Promise<string[]> {
  await openLive(page)
  const rows = page.locator('tr[data-symbol]')
  await expect(rows.first()).toBeVisible()
  return rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-symbol') ?? ''))
}

interface Look {
  browser: Browser
  name: string
  colorScheme: (typeof schemes)[number]
  size: keyof typeof sizes
  /** opens the screen and waits until it has what it shows */
  open: (page: Page) => Promise<void>
}

/** Looks at a screen in one theme and size: a picture, axe, nothing sideways, no complaint. */
export async function look({ browser, name, colorScheme, size, open }: Look): Promise<void> {
  const context = await browser.newContext({ colorScheme, viewport: sizes[size] })
  const page = await context.newPage()
  const found = complaints(page)
  await open(page)
  await page.screenshot({ path: `test-results/screens/${name}-${colorScheme}-${size}.png` })
  const { violations } = await new AxeBuilder({ page }).analyze()
  const violated = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
  expect(violated).toEqual([])
  const { scroll, client } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
  }))
  expect(scroll).toBeLessThanOrEqual(client)
  expect(found).toEqual([])
  await context.close()
}
