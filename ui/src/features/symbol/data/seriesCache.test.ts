import { expect, test } from 'vitest'
import type { Api } from '@/shared/api/client'
import { StreamHub } from '@/shared/stream'
import { SeriesCache } from './seriesCache'

const candle = (minute: number) => ({
  ...{ start: new Date(minute * 60_000).toISOString(), open: 1, high: 1, low: 1, close: 1 },
  ...{ volume: 1, trades: 1, vwap: 1, closed: true, amended: 0, filled: false },
})

/** A cache whose API has the minutes up to now. */
function manualCache() {
  const asked: Record<string, unknown>[] = []
  let now = 10
  const GET = async (_: string, { params }: { params: { query: Record<string, unknown> } }) => {
    asked.push(params.query)
    const { from, cursor } = params.query
    if (cursor) return { data: { candles: [candle(0), candle(1)], next: null }, response: new Response() }
    const first = from ? Math.ceil(Date.parse(String(from)) / 60_000) : 2
    const candles = Array.from({ length: now - first + 1 }, (_, index) => candle(first + index))
    return { data: { candles, next: from ? null : 'older' }, response: new Response() }
  }
  const nothing = () => {}
  const socket = { start: nothing, stop: nothing, pause: nothing, retry: nothing, send: nothing }
  const hub = new StreamHub({ connect: () => socket })
  const cache = new SeriesCache({ GET } as unknown as Api, hub)
  return { cache, asked, at: (minute: number) => (now = minute) }
}

test('who comes back asks for what came since, and nothing else', async () => {
  const { cache, asked, at } = manualCache()
  const leave = cache.follow('AAPL', '1m')
  await cache.refresh('AAPL', '1m')
  await cache.refresh('AAPL', '1m')
  expect(asked).toEqual([{ interval: '1m', limit: 1000 }])
  leave()
  at(12)
  cache.follow('AAPL', '1m')
  await cache.refresh('AAPL', '1m')
  expect(asked[1]).toEqual({ interval: '1m', limit: 10_000, from: new Date(8.5 * 60_000).toISOString() })
  const times = cache.series('AAPL', '1m').all.map(({ time }) => time / 60)
  expect(times).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})

test('older candles are read once, up to the first', async () => {
  const { cache, asked } = manualCache()
  await cache.refresh('AAPL', '1m')
  await Promise.all([cache.older('AAPL', '1m'), cache.older('AAPL', '1m')])
  await cache.older('AAPL', '1m')
  expect(asked.slice(1)).toEqual([{ interval: '1m', limit: 1000, cursor: 'older' }])
  expect(cache.series('AAPL', '1m').all[0]?.time).toBe(0)
})
