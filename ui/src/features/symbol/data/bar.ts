import type { Schemas } from '@/shared/api/client'

/** A candle as the chart needs it. */
export interface Bar {
  /** first instant of its interval, unix seconds */
  time: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  trades: number
  closed: boolean
  /** late ticks that changed it after it was closed */
  amended: number
}

type CandleData = Pick<
  Schemas['Candle'],
  'start' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'trades' | 'closed'
> & { amended?: number }

export function toBar(candle: CandleData): Bar {
  const { start, open, high, low, close, volume, trades, closed, amended = 0 } = candle
  return { time: Date.parse(start) / 1000, open, high, low, close, volume, trades, closed, amended }
}

/** A candle as the stream carries it; null if it is none. */
export function streamedBar(data: unknown): Bar | null {
  if (typeof data !== 'object' || data === null) return null
  const bar = toBar(data as CandleData)
  const numbers = [bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume]
  return numbers.every(Number.isFinite) ? bar : null
}
