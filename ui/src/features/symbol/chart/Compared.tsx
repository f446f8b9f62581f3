import { useEffect } from 'react'
import type { CandleSeries } from '../data/candleSeries'
import { useSeries } from '../data/useSeries'
import type { Interval } from '../search'
import type { PriceChart } from './priceChart'

interface ComparedProps {
  chart: PriceChart | null
  symbol: string
  interval: Interval
  main: CandleSeries
}

/** Keeps the line of another symbol; it shows nothing of its own. */
export function Compared({ chart, symbol, interval, main }: ComparedProps) {
  const { series } = useSeries(symbol, interval)
  useEffect(() => {
    if (!chart) return
    const draw = () => chart.setCompared(symbol, series.all)
    draw()
    const stops = [
      series.onChange((change) => (change.all ? draw() : chart.updateCompared(symbol, change.bars))),
      main.onChange((change) => change.all && draw()),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }, [chart, symbol, series, main])
  return null
}
