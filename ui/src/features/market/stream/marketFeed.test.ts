import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answer, manualFeed, stock, tick } from '../testing'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-02T15:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

const nothing = async () => ({ response: answer(), date: Number.NaN })

test('it subscribes to all ticks, and is due for a load when that is granted', () => {
  const { feed, sent, deliver } = manualFeed(nothing)
  const gap = vi.fn()
  feed.onGap(gap)
  feed.start()
  expect(sent).toEqual([{ subscribe: ['ticks.*'], mode: 'all' }])
  deliver({ subscribed: ['ticks.*'] })
  expect(gap).toHaveBeenCalledTimes(1)
})

test('conflated it follows the day’s candles for the volume, and every tick again when told so', () => {
  const { feed, sent, deliver, frame } = manualFeed(nothing)
  feed.conflate(10)
  feed.start()
  expect(sent).toEqual([
    { subscribe: ['ticks.*'], mode: 'latest', maxRate: 10 },
    { subscribe: ['candles.1d.*'], mode: 'latest', maxRate: 1 },
  ])
  deliver(tick('AAPL', 1, 100))
  deliver({
    subject: 'candles.1d.AAPL',
    seq: 1,
    data: { symbol: 'AAPL', start: '2026-01-02T00:00:00Z', volume: 77 },
  })
  frame()
  expect(feed.store.get('AAPL')?.dayVolume).toBe(77)
  sent.length = 0
  feed.conflate(null)
  expect(sent).toEqual([{ subscribe: ['ticks.*'], mode: 'all' }, { unsubscribe: ['candles.1d.*'] }])
})

test('the rate and the silence are told once a second', () => {
  const { feed, deliver } = manualFeed(nothing)
  feed.start()
  feed.hub.start()
  deliver(...Array.from({ length: 40 }, (_, index) => tick('AAPL', index + 1, 100)))
  vi.advanceTimersByTime(1000)
  expect(feed.hub.getStatus()).toMatchObject({ rate: 40, silent: 0 })
  vi.advanceTimersByTime(3000)
  expect(feed.hub.getStatus()).toMatchObject({ rate: 0, silent: 3000 })
  feed.stop()
  feed.hub.stop()
})

test('a slow client that missed messages loads again, but not for each of them', () => {
  const { feed, deliver } = manualFeed(nothing)
  const gap = vi.fn()
  feed.onGap(gap)
  feed.start()
  feed.hub.start()
  for (let second = 0; second < 20; second++) {
    deliver({ dropped: 7 })
    vi.advanceTimersByTime(1000)
  }
  expect(gap.mock.calls.length).toBeGreaterThanOrEqual(3)
  expect(gap.mock.calls.length).toBeLessThanOrEqual(4)
  feed.stop()
  feed.hub.stop()
})

test('the time is the server’s, not that of a machine whose clock is wrong', async () => {
  const ahead = 3_600_000
  const { feed, deliver } = manualFeed(async () => ({
    response: answer(stock('AAPL')),
    date: Math.floor((Date.now() + ahead) / 1000) * 1000,
  }))
  feed.start()
  feed.hub.start()
  expect(await feed.load(new AbortController().signal)).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(feed.hub.getStatus().now).toBe(Date.now() + ahead)
  deliver({ heartbeat: Date.now() + ahead + 5 })
  vi.advanceTimersByTime(1000)
  expect(feed.hub.getStatus().now).toBe(Date.now() + ahead + 5)
  feed.stop()
  feed.hub.stop()
})

test('what the server refuses is told until it grants', () => {
  const { feed, deliver } = manualFeed(nothing)
  deliver({ error: { code: 'bad_subject', message: 'ticks.. has an empty token' } })
  expect(feed.hub.getStatus().problem).toContain('ticks.. has an empty token')
  deliver({ subscribed: ['ticks.*'] })
  expect(feed.hub.getStatus().problem).toBeNull()
})
