import { download } from '@/shared/lib/download'
import type { PriceChart } from './chart/priceChart'
import { type Interval, lengthOf } from './search'

/** Hands out the chart as it is seen. */
export function exportPicture(chart: PriceChart, symbol: string, interval: Interval): void {
  chart.picture().toBlob((picture) => {
    if (picture) download(`${symbol}-${interval}.png`, picture)
  })
}

/** Where the candles of a time are, as a file. */
export function exportUrl(
  symbol: string,
  interval: Interval,
  format: 'csv' | 'ndjson',
  span: { from: number; to: number } | null,
): string {
  const query = new URLSearchParams({ interval })
  if (span) {
    query.set('from', new Date(span.from * 1000).toISOString())
    query.set('to', new Date((span.to + lengthOf(interval)) * 1000).toISOString())
  }
  return `/api/stocks/${encodeURIComponent(symbol)}/candles.${format}?${query}`
}
