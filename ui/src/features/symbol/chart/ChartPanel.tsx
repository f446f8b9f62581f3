import { useEffect, useMemo, useRef } from 'react'
import { Empty, Failed, Loading, Notice } from '@/shared/panel/Panel'
import { useFormulas, useIndicators } from '../data/useIndicators'
import { useSeries } from '../data/useSeries'
import type { usePriceRules } from '../rules/usePriceRules'
import { rangeViews } from '../search'
import type { SymbolAddress } from '../useSymbolAddress'
import { Behind } from './Behind'
import classes from './ChartPanel.module.css'
import { Compared } from './Compared'
import { Legend, type LegendHandle } from './Legend'
import type { PriceChart } from './priceChart'
import { planStudies } from './studies'
import { useChart } from './useChart'

interface ChartPanelProps {
  address: SymbolAddress
  rules: ReturnType<typeof usePriceRules>
  paused: boolean
  onReady: (chart: PriceChart | null) => void
}

/** The chart of a symbol, with what lies over it. */
export function ChartPanel({ address, rules, paused, onReady }: ChartPanelProps) {
  const { symbol, interval, style, specs, compared, range } = address
  const { series, query, cache } = useSeries(symbol, interval)
  const element = useRef<HTMLElement>(null)
  const legend = useRef<LegendHandle>(null)
  const chart = useChart(
    element,
    () => void cache.older(symbol, interval).catch(() => undefined),
    (time) => legend.current?.show(time),
  )
  useEffect(() => onReady(chart), [chart, onReady])

  useEffect(() => {
    if (!chart) return
    chart.paused = paused
    if (paused) return
    chart.show(series, interval)
    return series.onChange((change) => {
      if (change.all) chart.redraw()
      else chart.update(change.bars)
      legend.current?.refresh()
    })
  }, [chart, series, interval, paused])
  useEffect(() => chart?.drawAs(style), [chart, style])
  const comparedText = compared.join(',')
  useEffect(() => chart?.compare(comparedText ? comparedText.split(',') : []), [chart, comparedText])
  useRange(chart, `${symbol} ${interval}`, range, query.isSuccess)

  const formulas = useFormulas()
  const specsText = specs.join(';')
  const studies = useMemo(
    () => planStudies(specsText ? specsText.split(';') : [], formulas.data ?? []),
    [specsText, formulas.data],
  )
  const indicators = useIndicators(symbol, interval, specs, series)
  useEffect(() => chart?.studies.plan(studies), [chart, studies])
  useEffect(() => {
    if (!chart || paused) return
    chart.studies.draw(
      indicators.layers,
      series.all.map(({ time }) => time),
    )
    legend.current?.refresh()
  })
  useLevels(chart, rules)

  const empty = query.isSuccess && series.all.length === 0 && query.data === 0
  return (
    <div className={classes.box}>
      {indicators.error && (
        <Notice>
          <p>{indicators.error.message}</p>
        </Notice>
      )}
      {!paused && <Behind symbol={symbol} interval={interval} series={series} />}
      <div className={classes.stage}>
        <figure
          ref={element}
          className={classes.chart}
          aria-label={`Chart of ${symbol}, ${interval} ${style}. The table holds the same numbers.`}
        />
        <Legend
          ref={legend}
          {...{ symbol, interval, series, studies }}
          layers={indicators.layers}
          remove={(spec) => address.setSpecs(specs.filter((one) => one !== spec))}
        />
        {compared.map((other) => (
          <Compared key={other} chart={chart} symbol={other} interval={interval} main={series} />
        ))}
        {series.all.length === 0 && (
          <div className={classes.over}>
            {query.isPending && <Loading what={`candles of ${symbol}`} />}
            {query.isError && (
              <Failed what="The candles" error={query.error} retry={() => void query.refetch()} />
            )}
            {empty && (
              <Empty title={`No ${interval} candles of ${symbol} yet`}>
                The function candles makes them out of ticks: see on the Functions screen whether it runs, or
                choose a shorter interval.
              </Empty>
            )}
          </div>
        )}
      </div>
    </div>
  )
}

/** Shows a range when one is chosen, reading as far back as it goes. */
function useRange(chart: PriceChart | null, of: string, range: SymbolAddress['range'], ready: boolean) {
  useEffect(() => {
    if (!chart || !range || !ready || !of) return
    const { seconds } = rangeViews[range]
    // The chart has the bars after the flush that is due.
    const frame = requestAnimationFrame(() => requestAnimationFrame(() => chart.showLast(seconds)))
    return () => cancelAnimationFrame(frame)
  }, [chart, of, range, ready])
}

/** Draws the rules, and moves one where its line is dropped. */
function useLevels(chart: PriceChart | null, { levels, move }: ChartPanelProps['rules']) {
  const { mutate } = move
  useEffect(() => {
    if (!chart) return
    chart.lines.onMove = (id, price) => mutate({ id, price })
    chart.lines.set(
      levels.map(({ rule, price }) => ({
        id: rule.id ?? '',
        price,
        title: rule.name || rule.when,
        disabled: rule.disabled ?? false,
      })),
    )
  })
}
