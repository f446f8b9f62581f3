import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useReducer, useRef } from 'react'
import { formatPrice, formatVolume } from '@/shared/lib/format'
import { formatDateTime } from '@/shared/lib/time'
import classes from './BarTable.module.css'
import type { CandleSeries } from './data/candleSeries'

const rowHeight = 26
const heads = ['Time', 'Open', 'High', 'Low', 'Close', 'Volume', 'Trades', 'State'] as const

/** The chart as a table: the newest candle first, live. */
export function BarTable({ symbol, series }: { symbol: string; series: CandleSeries }) {
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  useEffect(() => series.onChange(redraw), [series])
  const box = useRef<HTMLElement>(null)
  const count = series.all.length
  const list = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section ref={box} className={classes.scroll} aria-label={`Candles of ${symbol}`} tabIndex={0}>
      <table className={classes.table} aria-rowcount={count + 1}>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map(({ index, start }) => {
            const bar = series.all[count - 1 - index]
            if (!bar) return null
            const state = bar.amended > 0 ? `amended ×${bar.amended}` : bar.closed ? 'closed' : 'open'
            return (
              <tr key={bar.time} aria-rowindex={index + 2} style={{ transform: `translateY(${start}px)` }}>
                <th scope="row">{formatDateTime(bar.time * 1000)}</th>
                <td>{formatPrice(bar.open)}</td>
                <td>{formatPrice(bar.high)}</td>
                <td>{formatPrice(bar.low)}</td>
                <td>{formatPrice(bar.close)}</td>
                <td>{formatVolume(bar.volume)}</td>
                <td>{formatVolume(bar.trades)}</td>
                <td>{state}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}
