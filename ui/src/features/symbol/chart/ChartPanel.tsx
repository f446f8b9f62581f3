import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useEffect, useMemo, useRef } from 'react'
import { ApiError } from '@/shared/api/client'
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

  // Before the past is there a chart of the one candle that grows would jump.
  const unread = series.next === undefined && query.isPending
  return (
    <div className={classes.box}>
      {indicators.error && (
        <Notice>
          <p>{indicators.error.message}</p>
        </Notice>
      )}
      {query.isError && series.all.length > 0 && (
        <Notice>
          <p>What was before cannot be read: {query.error.message}</p>
          <Button size="compact-xs" variant="default" onClick={() => void query.refetch()}>
            Try again
          </Button>
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
          {...{ chart, symbol, interval, series, studies }}
          layers={indicators.layers}
          whole={series.next === null && indicators.ready}
          remove={(spec) => address.setSpecs(specs.filter((one) => one !== spec))}
        />
        {compared.map((other) => (
          <Compared key={other} chart={chart} symbol={other} interval={interval} />
        ))}
        {(unread || series.all.length === 0) && (
          <div className={classes.over}>
            <NoCandles {...{ symbol, interval, query }} />
          </div>
        )}
      </div>
    </div>
  )
}

type NoCandlesProps = Pick<SymbolAddress, 'symbol' | 'interval'> & {
  query: ReturnType<typeof useSeries>['query']
}

/** What stands where the chart would: why there is none, and what to do. */
function NoCandles({ symbol, interval, query }: NoCandlesProps) {
  if (query.isPending) return <Loading what={`candles of ${symbol}`} />
  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <Empty title={`There is no symbol ${symbol}`}>
        No tick of it has come yet. Type another, or see <Link to="/">all that there are</Link>.
      </Empty>
    )
  }
  if (query.isError) {
    return <Failed what="The candles" error={query.error} retry={() => void query.refetch()} />
  }
  return (
    <Empty title={`No ${interval} candles of ${symbol} yet`}>
      The function candles makes them out of ticks: see <Link to="/functions">whether it runs</Link>, or
      choose a shorter interval.
    </Empty>
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
