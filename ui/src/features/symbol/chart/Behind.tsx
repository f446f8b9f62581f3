import { Link } from '@tanstack/react-router'
import { useFeed } from '@/features/market'
import { formatDateTime } from '@/shared/lib/time'
import { Notice } from '@/shared/panel/Panel'
import { useStreamStatus } from '@/shared/stream'
import type { CandleSeries } from '../data/candleSeries'
import { type Interval, lengthOf } from '../search'

/** How far candles may be behind the ticks they are made of, in seconds: more than it takes to make them. */
const usual = 30

/** Whether a trade (unix ms) was made so long after a candle (unix s) that another should stand behind it. */
export function isBehind(trade: number | null, candle: number | undefined, interval: Interval): boolean {
  return trade !== null && candle !== undefined && trade / 1000 >= candle + 2 * lengthOf(interval) + usual
}

interface BehindProps {
  symbol: string
  interval: Interval
  series: CandleSeries
}

/** Says that the chart ends before the price above it: old candles must look old. */
export function Behind({ symbol, interval, series }: BehindProps) {
  const { store } = useFeed()
  const { phase } = useStreamStatus()
  const last = series.last?.time
  if (phase !== 'live' || last === undefined) return null
  if (!isBehind(store.get(symbol)?.time ?? null, last, interval)) return null
  return (
    <Notice>
      <p>
        The newest candle is of {formatDateTime(last * 1000)}, and {symbol} has traded since. The function
        candles is behind or stands still: <Link to="/functions">see the functions</Link>.
      </p>
    </Notice>
  )
}
