import { useEffect } from 'react'
import { useSeries } from '../data/useSeries'
import type { Interval } from '../search'
import type { PriceChart } from './priceChart'

interface ComparedProps {
  chart: PriceChart | null
  symbol: string
  interval: Interval
}

/** Keeps the line of another symbol; it shows nothing of its own. */
export function Compared({ chart, symbol, interval }: ComparedProps) {
  const { series } = useSeries(symbol, interval)
  useEffect(() => {
    if (!chart) return
    const draw = () => chart.setCompared(symbol, series.all)
    draw()
    return series.onChange((change) => (change.all ? draw() : chart.updateCompared(symbol, change.bars)))
  }, [chart, symbol, series])
  return null
}
