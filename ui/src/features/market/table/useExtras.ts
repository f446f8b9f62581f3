import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { read, useApi } from '@/shared/api/client'
import { token, useStream } from '@/shared/stream'
import { useFeed } from '../stream/FeedContext'

/** How often a row's trend is asked for, per second: it is a word, and changes seldom. */
const trendRate = 0.5
const atOnce = 3

/** Gets what only rows in sight need: the closes of the last hour, once, and the trend, while they are there. */
export function useExtras(symbols: readonly string[]): void {
  const hub = useStream()
  const { store } = useFeed()
  const api = useApi()
  const client = useQueryClient()
  const key = symbols.join(' ')

  useEffect(() => {
    const leaves = split(key).map((symbol) =>
      hub.subscribe(`indicators.${token(symbol)}`, (message) => store.applyTrend(message.data), {
        mode: 'latest',
        maxRate: trendRate,
      }),
    )
    return () => {
      for (const leave of leaves) leave()
    }
  }, [hub, store, key])

  useEffect(() => {
    let stopped = false
    const waiting = split(key).filter((symbol) => !client.getQueryData(['minutes', symbol]))
    const work = async () => {
      for (let symbol = waiting.shift(); symbol && !stopped; symbol = waiting.shift()) {
        const path = { symbol }
        const query = { interval: '1m' as const, limit: 61 }
        await client
          .fetchQuery({
            queryKey: ['minutes', symbol],
            // The closes are all that is kept, and of a market of hundreds that is a tenth.
            queryFn: async ({ signal }) => {
              const asked = api.GET('/api/stocks/{symbol}/candles', { params: { path, query }, signal })
              const { candles } = await read('GET /api/stocks/{symbol}/candles', asked)
              return candles.map(({ start, close }) => ({ time: Date.parse(start), close }))
            },
            staleTime: Number.POSITIVE_INFINITY,
            retry: false,
          })
          .then((closes) => store.applyMinutes(path.symbol, closes))
          // The line then begins with what comes live.
          .catch(() => undefined)
      }
    }
    // A reader who scrolls past asks for nothing.
    const timer = setTimeout(() => {
      for (let worker = 0; worker < atOnce; worker++) void work()
    }, 200)
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [api, client, store, key])
}

function split(key: string): string[] {
  return key ? key.split(' ') : []
}
