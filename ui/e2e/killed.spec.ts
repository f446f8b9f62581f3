import { expect, type Page, test } from '@playwright/test'
import { WebSocket } from 'undici'
import { follow } from '../../docs/examples/client.ts'
import { OwnApi } from './system'

/** What one connection of the page asked for and was sent. */
interface Connection {
  since: number | undefined
  /** the positions of the live ticks, in the order of their arrival */
  ticks: number[]
  snapshots: number
}

interface Heard {
  subject?: string
  seq?: unknown
  snapshot?: unknown
}

/** Listens to the page's websockets from outside of the page. */
function listen(page: Page): Connection[] {
  const connections: Connection[] = []
  page.on('websocket', (socket) => {
    const connection: Connection = { since: undefined, ticks: [], snapshots: 0 }
    connections.push(connection)
    socket.on('framesent', ({ payload }) => {
      connection.since ??= JSON.parse(String(payload)).since?.TICKS
    })
    socket.on('framereceived', ({ payload }) => {
      const heard: Heard | Heard[] = JSON.parse(String(payload))
      for (const { subject, seq, snapshot } of Array.isArray(heard) ? heard : [heard]) {
        if (!subject?.startsWith('ticks.') || typeof seq !== 'number') continue
        if (snapshot) connection.snapshots++
        else connection.ticks.push(seq)
      }
    })
  })
  return connections
}

test('an API that is killed leaves prices that look old, and no gap when it is back', async ({
  page,
  baseURL,
}) => {
  test.setTimeout(240_000)
  const patient = { timeout: 60_000 }
  // The API of the system itself lives on: it tells what there was to miss.
  const all: number[] = []
  const faults: unknown[] = []
  const stop = follow(`${baseURL?.replace(/^http/, 'ws')}/ws`, ['ticks.>'], {
    onMessage: ({ seq, snapshot }) => snapshot || all.push(seq),
    onGap: (word) => faults.push(word),
    onError: (error) => faults.push(error),
    WebSocket: WebSocket as unknown as new (url: string) => globalThis.WebSocket,
  })
  const api = await OwnApi.start()
  try {
    const connections = listen(page)
    const opened = () => connections.filter(({ ticks, snapshots }) => ticks.length + snapshots > 0)
    await page.addInitScript(() => {
      localStorage.setItem('streamflow-settings', '{"state":{"maxRate":null},"version":0}')
    })
    await page.goto(api.url)
    const status = page.getByRole('status', { name: 'Connection' })
    await expect(status).toHaveText('Live')
    const rows = page.locator('tr[data-symbol]')
    const stale = page.locator('tr[data-symbol][data-stale]')
    await expect(rows.first()).toBeVisible()
    await expect.poll(() => connections[0]?.ticks.length, patient).toBeGreaterThan(20)
    await expect.poll(async () => (await stale.count()) < (await rows.count())).toBe(true)

    await api.kill()
    await expect(status).toHaveText(/^(Reconnecting|Offline)$/)
    await expect(stale).toHaveCount(await rows.count())
    await expect(stale.first().locator('[data-cell="age"]')).toHaveText(/^stale/)
    await expect(page.getByText('these are the last known prices')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Connect now' }).first()).toBeVisible()
    await page.screenshot({ path: 'test-results/screens/market-killed.png' })
    const known = connections[0]?.ticks.at(-1) ?? 0
    const missed = () => all.filter((seq) => seq > known).length
    await expect.poll(missed, patient).toBeGreaterThan(20)

    await api.again()
    await expect(status).toHaveText('Live', patient)
    await expect(page.locator('tr[data-symbol]:not([data-stale])').first()).toBeVisible()
    const until = all.at(-1) ?? 0
    await expect.poll(() => opened().at(-1)?.ticks.at(-1) ?? 0, patient).toBeGreaterThanOrEqual(until)
    await expect.poll(() => all.at(-1) ?? 0, patient).toBeGreaterThanOrEqual(until)

    const [before, after] = opened()
    expect(opened()).toHaveLength(2)
    expect(after?.since).toBeGreaterThanOrEqual(known)
    expect(after?.snapshots).toBe(0)
    const got = [...(before?.ticks ?? []), ...(after?.ticks ?? [])]
    const from = Math.max(got[0] ?? 0, all[0] ?? 0)
    const part = (ticks: readonly number[]) => ticks.filter((seq) => seq >= from && seq <= until)
    // Every tick of the stream, each once and in order: those of the time in between too.
    expect(part(got)).toEqual(part(all))
    expect(part(all).filter((seq) => seq > known).length).toBeGreaterThan(20)
    await expect(page.locator('[data-figure="dropped"] dd')).toHaveText('0')
    expect(faults).toEqual([])
  } finally {
    stop()
    await api.kill()
  }
})
