import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { read, useApi } from '@/shared/api/client'
import { token, useStreamStatus, useSubject } from '@/shared/stream'
import { type Interval, lengthOf } from '../search'
import type { CandleSeries } from './candleSeries'

export type Values = Record<string, number>
/** Values by the start of their candle, unix seconds. */
export type IndicatorPoints = ReadonlyMap<number, Values>

const kept = 30 * 60_000
const what = 'GET /api/stocks/{symbol}/indicators'

export function useFormulas() {
  const api = useApi()
  return useQuery({
    queryKey: ['formulas'],
    queryFn: ({ signal }) =>
      read('GET /api/formulas', api.GET('/api/formulas', { signal })).then((all) => all ?? []),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** The time of the oldest candle that is drawn: values are wanted from there. */
function useOldest(series: CandleSeries): number {
  const [oldest, setOldest] = useState(0)
  useEffect(() => {
    const look = () => setOldest(series.all[0]?.time ?? 0)
    look()
    return series.onChange((change) => {
      if (change.all) look()
    })
  }, [series])
  return oldest
}

/**
 * The values of indicators at each candle: what is closed is read once, and the
 * open candle's every few seconds, since any numbers may be asked for and the
 * stream only has the usual ones.
 */
export function useIndicators(
  symbol: string,
  interval: Interval,
  specs: readonly string[],
  series: CandleSeries,
) {
  const api = useApi()
  const client = useQueryClient()
  const { phase } = useStreamStatus()
  const oldest = useOldest(series)
  const enabled = specs.length > 0 && oldest > 0
  const key = ['indicators', symbol, interval, specs.join(';')]
  const ask = (from: number, signal: AbortSignal) =>
    read(
      what,
      api.GET('/api/stocks/{symbol}/indicators', {
        params: {
          path: { symbol },
          query: { interval, spec: [...specs], from: new Date(from * 1000).toISOString() },
        },
        signal,
      }),
    )

  const history = useQuery({
    queryKey: [...key, oldest],
    queryFn: async ({ signal }) => {
      const answer = await ask(oldest, signal)
      return { symbol, interval, names: answer.names ?? [], points: toPoints(answer.points ?? []) }
    },
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: kept,
    // More indicators or older candles must not make those that are drawn disappear.
    placeholderData: keepPreviousData,
    retry: false,
  })
  const tail = useQuery({
    queryKey: [...key, 'tail'],
    queryFn: async ({ signal }) => {
      const before = client.getQueryData<IndicatorPoints>([...key, 'tail']) ?? new Map<number, Values>()
      const newest = [...before.keys()].at(-1) ?? [...(history.data?.points.keys() ?? [])].at(-1) ?? oldest
      const more = toPoints((await ask(newest - 2 * lengthOf(interval), signal)).points ?? [])
      return new Map([...before, ...more])
    },
    enabled: enabled && history.isSuccess && phase === 'live',
    refetchInterval: interval === '1s' ? 1000 : 3000,
    staleTime: 0,
    gcTime: kept,
    retry: false,
  })
  const [facts, setFacts] = useState<{ of: string; points: IndicatorPoints }>({ of: '', points: new Map() })
  const of = `${symbol} ${interval}`
  useSubject<StreamedIndicators>(
    `indicators.${token(symbol)}`,
    (messages) => {
      const closed = messages.filter(({ view, data }) => !view && data.interval === interval)
      if (closed.length === 0) return
      setFacts((before) => {
        const points = new Map(before.of === of ? before.points : [])
        for (const { data } of closed) points.set(Date.parse(data.time) / 1000, data.values)
        return { of, points }
      })
    },
    { enabled },
  )
  const known =
    history.data?.symbol === symbol && history.data.interval === interval ? history.data : undefined
  return {
    names: known?.names ?? [],
    layers: [known?.points, facts.of === of ? facts.points : undefined, tail.data].filter(
      (layer) => layer !== undefined,
    ),
    /** what is closed was read, of just these indicators */
    ready: known !== undefined && !history.isPlaceholderData,
    error: history.error,
  }
}

interface StreamedIndicators {
  interval: string
  time: string
  values: Values
}

function toPoints(points: readonly { time: string; values: Values }[]): IndicatorPoints {
  return new Map(points.map(({ time, values }) => [Date.parse(time) / 1000, values]))
}
