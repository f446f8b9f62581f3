import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { type Ref, type RefObject, useEffect, useImperativeHandle, useRef } from 'react'
import { formatCount, formatPercent, formatPrice, formatVolume, unknown } from '@/shared/lib/format'
import { formatDateTime } from '@/shared/lib/time'
import type { Bar } from '../data/bar'
import type { CandleSeries } from '../data/candleSeries'
import type { IndicatorPoints } from '../data/useIndicators'
import type { Interval } from '../search'
import classes from './ChartPanel.module.css'
import { topOfPane, watchPanes } from './panes'
import type { PriceChart } from './priceChart'
import type { Line, Study } from './studies'

export interface LegendHandle {
  /** shows the bar of a time; null is the newest */
  show: (time: number | null) => void
  /** writes what is shown anew */
  refresh: () => void
}

interface LegendProps {
  ref: Ref<LegendHandle>
  chart: PriceChart | null
  symbol: string
  interval: Interval
  series: CandleSeries
  studies: readonly Study[]
  layers: readonly IndicatorPoints[]
  /** all candles are read: what has no value has none for want of candles */
  whole: boolean
  remove: (spec: string) => void
}

/**
 * The numbers under the crosshair, each at the pane that it is of. They are
 * written past React: they change with every move of the pointer.
 */
export function Legend({
  ref,
  chart,
  symbol,
  interval,
  series,
  studies,
  layers,
  whole,
  remove,
}: LegendProps) {
  const box = useRef<HTMLDivElement>(null)
  const panes = [0, ...new Set(studies.flatMap(({ pane }) => (pane > 0 ? pane : [])))]
  const time = useRef<number | null>(null)

  const write = () => {
    const bar = time.current === null ? series.last : series.at(time.current)
    const before = bar && series.all[series.find(bar.time) - 1]
    for (const cell of box.current?.querySelectorAll<HTMLElement>('[data-value]') ?? []) {
      const text = textOf(cell.dataset.value ?? '', bar, before, layers)
      if (cell.textContent !== text) cell.textContent = text
    }
    if (box.current) box.current.dataset.way = bar && bar.close < bar.open ? 'down' : 'up'
  }
  useImperativeHandle(ref, () => ({
    show: (to) => {
      time.current = to
      write()
    },
    refresh: write,
  }))
  useEffect(write)
  const owners = panes.map((pane) => studies.find((study) => study.pane === pane)?.spec ?? 'prices')
  usePanePlaces(box, chart, owners.join(' '))

  const line = ({ spec, title, lines }: Study) => (
    <StudyLine
      key={spec}
      {...{ spec, title, lines, remove }}
      hint={
        whole && !hasValues(lines, layers) ? `needs more than ${formatCount(series.all.length)} candles` : ''
      }
    />
  )
  return (
    <div className={classes.legends} ref={box}>
      {panes.map((pane) => (
        <div key={pane} className={classes.legend} data-pane={pane}>
          {pane === 0 && <BarLine symbol={symbol} interval={interval} />}
          {studies.filter((study) => study.pane === pane).map(line)}
        </div>
      ))}
    </div>
  )
}

/** Keeps each legend at the top of its pane, wherever its borders are drawn to. */
function usePanePlaces(box: RefObject<HTMLElement | null>, chart: PriceChart | null, panes: string) {
  useEffect(() => {
    if (!chart) return
    const place = () => {
      for (const legend of box.current?.querySelectorAll<HTMLElement>('[data-pane]') ?? []) {
        const top = topOfPane(chart.chart, Number(legend.dataset.pane))
        legend.style.top = `${top ?? 0}px`
        legend.style.visibility = top === null ? 'hidden' : 'visible'
      }
    }
    return watchPanes(chart.chart, panes.split(' ').length, place)
  }, [box, chart, panes])
}

function BarLine({ symbol, interval }: { symbol: string; interval: Interval }) {
  return (
    <div className={classes.legendLine}>
      <b>{symbol}</b> <span className={classes.quiet}>{interval}</span>
      <span className={classes.quiet} data-value="time" />
      <span className={classes.ohlc}>
        O <i data-value="open" /> H <i data-value="high" /> L <i data-value="low" /> C{' '}
        <i data-value="close" /> <i data-value="change" />
      </span>
      <span className={classes.quiet}>
        Vol <span data-value="volume" />
      </span>
      <span className={classes.amended} data-value="amended" />
    </div>
  )
}

type StudyLineProps = Pick<Study, 'spec' | 'title' | 'lines'> & Pick<LegendProps, 'remove'> & { hint: string }

/** An indicator: its name, its values, and how to be rid of it. */
function StudyLine({ spec, title, lines, hint, remove }: StudyLineProps) {
  return (
    <div className={classes.legendLine}>
      <span>{title}</span>
      {hint ? (
        <span className={classes.quiet}>{hint}</span>
      ) : (
        lines.map(({ name, color }) => (
          <span
            key={name}
            data-value={`= ${name}`}
            style={{ color: `var(--sf-series-${(color % 6) + 1})` }}
            title={name}
          />
        ))
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size={20}
        aria-label={`Remove ${spec}`}
        className={classes.remove ?? ''}
        onClick={() => remove(spec)}
      >
        <IconX size={12} aria-hidden />
      </ActionIcon>
    </div>
  )
}

function hasValues(lines: readonly Line[], layers: readonly IndicatorPoints[]): boolean {
  for (const layer of layers) {
    for (const values of layer.values()) if (lines.some(({ name }) => name in values)) return true
  }
  return false
}

function textOf(
  name: string,
  bar: Bar | undefined,
  before: Bar | undefined,
  layers: readonly IndicatorPoints[],
): string {
  if (!bar) return ''
  if (name.startsWith('= ')) {
    const wanted = name.slice(2)
    const value = layers.findLast((layer) => layer.get(bar.time)?.[wanted] !== undefined)?.get(bar.time)?.[
      wanted
    ]
    return value === undefined ? unknown : formatValue(value)
  }
  switch (name) {
    case 'time':
      return formatDateTime(bar.time * 1000)
    case 'open':
    case 'high':
    case 'low':
    case 'close':
      return formatPrice(bar[name])
    case 'change':
      return before ? formatPercent(100 * (bar.close / before.close - 1)) : ''
    case 'volume':
      return formatVolume(bar.volume)
    case 'amended':
      return bar.amended > 0
        ? `amended by ${formatCount(bar.amended)} late ${bar.amended === 1 ? 'tick' : 'ticks'}`
        : ''
    default:
      return ''
  }
}

function formatValue(value: number): string {
  return Math.abs(value) >= 100_000 ? formatVolume(value) : formatPrice(value)
}
