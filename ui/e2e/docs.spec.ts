import { expect, test } from '@playwright/test'

test('the docs explorer opens, loads from nowhere else, and sends', async ({ page, baseURL }) => {
  const elsewhere: string[] = []
  const faults: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(baseURL ?? '') && !/^(data|blob):/.test(url)) elsewhere.push(url)
  })
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  await page.goto('/docs')
  await expect(page.getByRole('heading', { name: 'StreamFlow', exact: true })).toBeVisible()
  await expect(page.getByRole('link', { name: /AsyncAPI/ })).toHaveAttribute('href', '/asyncapi.json')

  await page.goto('/docs#tag/candles/GET/api/formulas')
  const operation = page
    .getByRole('region', { name: 'Formulas' })
    .or(page.locator('section', { hasText: '/api/formulas' }))
    .first()
  await operation.scrollIntoViewIfNeeded()
  await page
    .getByRole('button', { name: /Test Request.*formulas/i })
    .first()
    .click()
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/formulas'))
  await page.getByRole('button', { name: /^Send/ }).first().click()
  expect((await answered).status()).toBe(200)
  await page.screenshot({ path: 'test-results/docs.png' })
  expect(elsewhere).toEqual([])
  expect(faults).toEqual([])
})

test('the plain page needs no script', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto('/docs/plain')
  await expect(page.getByText('list-stocks').or(page.getByText('/api/stocks')).first()).toBeVisible()
  await context.close()
})
