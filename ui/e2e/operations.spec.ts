import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { told } from './system'

const run = promisify(execFile)

async function openAt(page: Page, address: string): Promise<void> {
  await page.goto(address)
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Live')
}

/** Records that the bridge refuses: ticks on the topic of the events. */
async function sendRefused(): Promise<void> {
  // The simulator goes on until it is told to stop, which is how it ends well.
  const args = [
    'simulate',
    'ticks',
    '--kafka',
    told('KAFKA'),
    '--topic',
    'events',
    '--symbols',
    'AAPL',
    '--rate',
    '2',
  ]
  await run(told('BINARY'), args, { timeout: 3000, killSignal: 'SIGTERM' }).catch(
    (error: { killed?: boolean }) => {
      if (!error.killed) throw error
    },
  )
}

test('a rule is tried on what has been, made, fires, and its alert is acknowledged', async ({
  page,
  request,
}) => {
  await openAt(page, '/alerts')
  await page.getByRole('button', { name: 'New rule' }).click()
  await page.getByRole('combobox', { name: /^Symbol/ }).fill('AAPL')
  await page.getByLabel('Name').fill('E2E any price')
  const when = page.getByRole('textbox', { name: 'When' })
  await when.fill('price abov 1')
  await expect(page.getByText('^ column 7')).toBeVisible()
  await when.fill('price > 1')
  await expect(page.getByRole('status', { name: 'Preview result' })).toContainText('Would have fired')
  await page.screenshot({ path: 'test-results/alerts-editor.png' })
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByText('E2E any price is stored')).toBeVisible()

  const fired = page.locator('tr[data-alert]').filter({ hasText: 'E2E any price' }).first()
  await expect(fired).toBeVisible({ timeout: 30_000 })
  await expect(async () => {
    await fired.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Acknowledge 1' }).click()
    await expect(fired).toContainText('operator', { timeout: 3000 })
  }).toPass({ timeout: 20_000 })

  await page.getByRole('button', { name: 'Delete E2E any price' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(page.getByText('is there again')).toBeVisible()
  const { rules } = await (await request.get('/api/rules')).json()
  for (const rule of rules) if (rule.name === 'E2E any price') await request.delete(`/api/rules/${rule.id}`)
})

test('an alert is told on every screen, as it is raised', async ({ page, request }) => {
  const rule = { id: 'e2e-toast', name: 'E2E toast', symbol: '*', when: 'price > 1', severity: 'warning' }
  await request.delete(`/api/rules/${rule.id}`)
  await openAt(page, '/')
  expect((await request.put(`/api/rules/${rule.id}`, { data: rule })).ok()).toBe(true)
  await expect(page.getByRole('alert').filter({ hasText: 'above 1' }).first()).toBeVisible({
    timeout: 30_000,
  })
  await request.delete(`/api/rules/${rule.id}`)
})

test('the first look at the functions shows their last minutes', async ({ page, request }) => {
  await expect(async () => {
    const { functions } = await (await request.get('/api/functions?history=true')).json()
    expect(functions[0].history.length).toBeGreaterThanOrEqual(3)
  }).toPass({ timeout: 30_000 })
  await page.goto('/functions')
  const line = page.getByRole('img', { name: 'Rate of candles, last 5 minutes' }).locator('path')
  await expect(line).toBeAttached()
  const points = ((await line.getAttribute('d')) ?? '').match(/[ML]/g)
  // Those that the page has read itself are two seconds apart.
  expect(points?.length).toBeGreaterThanOrEqual(3)
})

test('a function is paused, stands still, and goes on', async ({ page }) => {
  await openAt(page, '/functions')
  await page.getByRole('button', { name: 'candles', exact: true }).click()
  const row = page.locator('tr[data-function="candles"]')
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(row).toContainText('paused', { timeout: 20_000 })
  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(row).toContainText('running', { timeout: 30_000 })
  await expect(page.getByRole('table', { name: 'Outputs of candles' })).toBeVisible()
})

test('a function is started, shared among two shards, and replayed from a time', async ({ page }) => {
  test.setTimeout(120_000)
  await openAt(page, '/functions')
  // A click anywhere in the row opens it.
  const row = page.locator('tr[data-function="buckets"]')
  await row.getByRole('cell').last().click()
  await expect(page).toHaveURL(/name=buckets/)
  const shards = page.getByRole('table', { name: 'Shards of buckets' }).locator('tbody tr')
  await page.getByRole('textbox', { name: 'Shards' }).fill('2')
  await page.getByRole('button', { name: 'Scale to 2' }).click()
  await expect(shards).toHaveCount(2, { timeout: 60_000 })
  await page.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('checkbox').check()
  await dialog.getByRole('button', { name: /^Replay/ }).click()
  await expect(page.getByText(/buckets is computed anew/)).toBeVisible()
  await expect(row).toContainText('running', { timeout: 60_000 })
})

test('a dead letter is looked at, corrected, replayed, and another one discarded', async ({ page }) => {
  await sendRefused()
  await openAt(page, '/pipeline')
  const letters = page.getByRole('table', { name: 'Dead letters' })
  const open = letters.getByRole('button', { name: /^events\// })
  await expect(open.first()).toBeVisible({ timeout: 20_000 })
  const place = await open.first().textContent()
  await open.first().click()
  await page.getByRole('button', { name: 'Correct…' }).click()
  const event = {
    event_id: 'e2e-1',
    type: 'view',
    user_id: 'u-1',
    product_id: 'p-1',
    price: 5,
    currency: 'EUR',
  }
  const value = JSON.stringify({ ...event, timestamp: new Date().toISOString() })
  await page.getByLabel('Corrected value').fill(value)
  await page.getByRole('button', { name: 'Replay corrected' }).click()
  await expect(page.getByText(/1 replayed to events\//)).toBeVisible()
  await expect(letters.getByRole('button', { name: place ?? '', exact: true })).toHaveCount(0)

  await letters.getByRole('checkbox').first().check()
  await page.getByRole('button', { name: 'Discard 1' }).click()
  await page.getByLabel('Why').fill('made by a test')
  await page.getByRole('button', { name: 'Discard', exact: true }).click()
  await expect(page.getByText('1 discarded.')).toBeVisible()
})

test('a message is chosen in the log, and its journey is a waterfall', async ({ page }) => {
  await openAt(page, '/inspector')
  await page
    .getByRole('button', { name: /^ticks\./ })
    .first()
    .click({ timeout: 20_000 })
  await page.getByRole('button', { name: 'Its journey' }).click()
  await expect(page).toHaveURL(/journey=/)
  const waterfall = page.getByRole('table', { name: 'Waterfall of the hops' })
  await expect(waterfall.getByRole('row', { name: /^bridge/ })).toBeVisible()
})

test('a row of the log is taken where the pointer is, though rows come above it', async ({ page }) => {
  await openAt(page, '/inspector')
  const rows = page.getByRole('table', { name: 'Messages' }).locator('tbody tr')
  await expect(rows.nth(12)).toBeVisible({ timeout: 20_000 })
  const box = await rows.nth(8).boundingBox()
  if (!box) throw new Error('the row has no box')
  await page.mouse.move(box.x + box.width - 40, box.y + box.height / 2)
  await page.mouse.down()
  await page.waitForTimeout(600) // a hand is slow, and the log is not
  await page.mouse.up()
  await expect(page.getByRole('button', { name: 'Close the message' })).toBeVisible()
  await page.keyboard.press('p')
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible()
  await page.keyboard.press('c')
  await expect(page.getByRole('heading', { name: 'Paused' })).toBeVisible()
})

test('events are counted in buckets, and logins in windows, as they come', async ({ page }) => {
  test.setTimeout(90_000)
  await openAt(page, '/events')
  const simulated = ['events', 'users'].map((what) =>
    run(told('BINARY'), ['simulate', what, '--kafka', told('KAFKA')], {
      timeout: 25_000,
      killSignal: 'SIGTERM',
    }).catch(() => undefined),
  )
  await expect(page.getByRole('list', { name: 'Logins, the newest first' })).toContainText('logged in', {
    timeout: 30_000,
  })
  await expect(page.getByText(/, [1-9][\d,]* in the last \d+ s/).first()).toBeVisible()
  await expect(page.getByRole('img', { name: /^Logins by window/ })).toBeVisible({ timeout: 40_000 })
  await Promise.all(simulated)
  // Who comes when nothing more does has the sums of all currencies, not only that of the last event.
  const sums = page.getByRole('list', { name: 'Sums of medium' }).getByRole('listitem')
  const before = await sums.allTextContents()
  expect(before.length).toBeGreaterThan(1)
  await page.reload()
  await expect(sums).toHaveText(before)
})

const screens = ['alerts', 'functions?name=candles', 'pipeline', 'pipeline?view=table', 'inspector', 'events']
const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }

for (const colorScheme of ['dark', 'light'] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test(`operations, ${colorScheme} and ${size}: no axe violation, nothing sideways, no complaint`, async ({
      browser,
    }) => {
      // Six screens, each looked at by axe: on two shared cores that takes its time.
      test.setTimeout(240_000)
      const context = await browser.newContext({ colorScheme, viewport })
      for (const address of screens) {
        const page = await context.newPage()
        const complaints: string[] = []
        page.on('console', (message) => {
          if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
        })
        page.on('pageerror', (error) => complaints.push(error.message))
        await openAt(page, `/${address}`)
        await page.waitForTimeout(2500)
        const name = address.replace(/\W+/g, '-')
        await page.screenshot({ path: `test-results/${name}-${colorScheme}-${size}.png` })
        const { violations } = await new AxeBuilder({ page }).analyze()
        const found = violations.map(
          ({ id, nodes }) => `${address} ${id}: ${nodes.map(({ html }) => html).join(' ')}`,
        )
        expect.soft(found).toEqual([])
        const sideways = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement
          const main = document.querySelector('main')
          return scrollWidth > clientWidth || (main ? main.scrollWidth > main.clientWidth : true)
        })
        expect.soft(sideways, address).toBe(false)
        expect.soft(complaints).toEqual([])
        await page.close()
      }
      await context.close()
    })
  }
}
