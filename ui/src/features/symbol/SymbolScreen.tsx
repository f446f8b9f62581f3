import { useMediaQuery } from '@mantine/hooks'
import { useCallback, useState } from 'react'
import { MarketTable, Notices, useBaseline } from '@/features/market'
import { BarTable } from './BarTable'
import { ChartPanel } from './chart/ChartPanel'
import type { PriceChart } from './chart/priceChart'
import { useSeries } from './data/useSeries'
import { QuoteHead } from './QuoteHead'
import { usePriceRules } from './rules/usePriceRules'
import { SymbolPicker } from './SymbolPicker'
import classes from './SymbolScreen.module.css'
import { ranges, rangeViews } from './search'
import { Toolbar } from './Toolbar'
import { useSymbolAddress } from './useSymbolAddress'
import { useSymbolKeys } from './useSymbolKeys'

/** One symbol: its price, its chart or the table of it, and the watchlist beside it where there is room. */
export function SymbolScreen() {
  useBaseline()
  const address = useSymbolAddress()
  const { symbol, interval, range, change } = address
  const rules = usePriceRules(symbol)
  const [chart, setChart] = useState<PriceChart | null>(null)
  const [paused, setPaused] = useState(false)
  const [tabular, setTabular] = useState(false)
  const [typed, setTyped] = useState<string | null>(null)
  const wide = useMediaQuery('(min-width: 1180px)')
  const actions = {
    pause: () => setPaused(!paused),
    reset: () => {
      setPaused(false)
      change({ range: undefined })
      chart?.toNewest()
    },
    table: () => setTabular(!tabular),
  }
  const pick = useCallback((letter: string) => setTyped(letter), [])
  useSymbolKeys({ address, chart, pick, ...actions })

  return (
    <div className={classes.screen}>
      <div className={classes.main}>
        <Notices />
        <QuoteHead symbol={symbol} />
        <Toolbar {...{ address, chart, rules, paused, tabular, ...actions }} />
        {paused && (
          <p role="status" className={classes.paused}>
            Paused: the chart stands still until you resume (Space).
          </p>
        )}
        {tabular ? (
          <Table symbol={symbol} interval={interval} />
        ) : (
          <ChartPanel {...{ address, rules, paused }} onReady={setChart} />
        )}
        <div className={classes.ranges} role="toolbar" aria-label="Range">
          {ranges.map((one) => (
            <button
              key={one}
              type="button"
              className={classes.range}
              aria-pressed={range === one}
              onClick={() => change({ range: one, interval: rangeViews[one].interval })}
            >
              {one}
            </button>
          ))}
        </div>
      </div>
      {wide && (
        <aside className={classes.side} aria-label="Watchlist">
          <MarketTable filter="" compact />
        </aside>
      )}
      {typed !== null && <SymbolPicker typed={typed} open={address.open} close={() => setTyped(null)} />}
    </div>
  )
}

type TableProps = Pick<ReturnType<typeof useSymbolAddress>, 'symbol' | 'interval'>

function Table({ symbol, interval }: TableProps) {
  const { series } = useSeries(symbol, interval)
  return <BarTable symbol={symbol} series={series} />
}
