import { type APIRequestContext, expect, type Page, type Route, test } from '@playwright/test'
import { openLive } from './page'

/** What the page has asked of the browser. */
interface Asked {
  notifications: { title: string; body: string; tag: string }[]
  notes: number
}

declare global {
  interface Window {
    asked: Asked
  }
}

/**
 * Puts in place of what a headless browser has not, a way to tell and a loudspeaker,
 * two that write down what they are asked for. Nothing else is in anybody's place.
 */
async function listen(page: Page, permission: NotificationPermission): Promise<void> {
  await page.addInitScript((allowed) => {
    window.asked = { notifications: [], notes: 0 }
    class Told {
      static permission = allowed
      static requestPermission = () => Promise.resolve(allowed)
      onclick = null
      constructor(title: string, { body, tag }: NotificationOptions) {
        window.asked.notifications.push({ title, body: body ?? '', tag: tag ?? '' })
      }
    }
    const start = OscillatorNode.prototype.start
    OscillatorNode.prototype.start = function (when) {
      window.asked.notes++
      start.call(this, when)
    }
    Object.defineProperty(window, 'Notification', { value: Told })
  }, permission)
}

/** Does to the page what a browser does to one that is behind another: it is not seen, and gets no frames. */
async function hide(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
    Object.defineProperty(document, 'hidden', { get: () => true })
    window.requestAnimationFrame = () => 0
    document.dispatchEvent(new Event('visibilitychange'))
  })
}

const asked = (page: Page): Promise<Asked> => page.evaluate(() => window.asked)

/** Makes a rule that the next price fires, and returns when its alert is stored. */
async function fire(request: APIRequestContext): Promise<void> {
  // A rule of its own: one that is there again goes on where it was, and has fired.
  const id = `e2e-told-${Date.now()}`
  const rule = { id, name: 'E2E told', symbol: 'AAPL', when: 'price > 1', severity: 'critical' }
  expect((await request.put(`/api/rules/${id}`, { data: rule })).ok()).toBe(true)
  try {
    await expect(async () => {
      const { alerts } = await (await request.get('/api/alerts', { params: { rule: id } })).json()
      expect(alerts.length).toBeGreaterThan(0)
    }).toPass({ timeout: 30_000 })
  } finally {
    await request.delete(`/api/rules/${id}`)
  }
}

async function turnSoundOn(page: Page): Promise<void> {
  await openLive(page, '/alerts')
  await page.getByRole('switch', { name: 'Sound' }).check({ force: true })
  await expect.poll(async () => (await asked(page)).notes).toBe(2) // how it will sound
}

test('an alert is heard, and told by the system while another page is in front', async ({
  page,
  request,
}) => {
  await listen(page, 'granted')
  await turnSoundOn(page)
  await openLive(page, '/functions')
  await hide(page)
  await fire(request)
  await expect.poll(async () => (await asked(page)).notifications.length, { timeout: 20_000 }).toBe(1)
  const { notifications, notes } = await asked(page)
  expect(notifications[0]?.title).toBe('AAPL: E2E told')
  expect(notifications[0]?.body).toMatch(/^AAPL: price \d+\.\d\d is above 1\.$/)
  expect(notes).toBe(3) // of a critical one
})

test('who looks at the page is told there, and not by the system', async ({ page, request }) => {
  await listen(page, 'granted')
  await openLive(page, '/functions')
  await fire(request)
  await expect(page.getByRole('alert').filter({ hasText: 'is above 1' }).first()).toBeVisible({
    timeout: 20_000,
  })
  expect(await asked(page)).toEqual({ notifications: [], notes: 0 })
})

test('what was not allowed is not done: no sound, no notification', async ({ page, request }) => {
  await listen(page, 'denied')
  await openLive(page, '/alerts')
  await expect(page.getByText('Notifications blocked')).toBeVisible()
  await openLive(page, '/functions')
  await hide(page)
  await fire(request)
  // The page has it, and has told nobody.
  await expect(page.getByRole('alert').filter({ hasText: 'is above 1' }).first()).toBeAttached({
    timeout: 20_000,
  })
  expect(await asked(page)).toEqual({ notifications: [], notes: 0 })
})

test('an alert is told that comes while the page loads what it is shown with', async ({ page, request }) => {
  const held: Route[] = []
  await page.route(/Toasts.*\.js/, (route) => void held.push(route))
  await openLive(page, '/functions')
  await expect.poll(() => held.length).toBeGreaterThan(0)
  await fire(request)
  await Promise.all(held.map((route) => route.continue()))
  await expect(page.getByRole('alert').filter({ hasText: 'is above 1' }).first()).toBeVisible({
    timeout: 20_000,
  })
})
