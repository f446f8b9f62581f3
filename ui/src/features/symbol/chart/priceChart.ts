import {
  AreaSeries,
  BarSeries,
  CandlestickSeries,
  CrosshairMode,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineSeries,
  PriceScaleMode,
  type SeriesType,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import { formatPercent, formatPrice } from '@/shared/lib/format'
import { formatDateTime, formatMinute, formatMonthDay, formatTime } from '@/shared/lib/time'
import type { Bar } from '../data/bar'
import type { CandleSeries } from '../data/candleSeries'
import type { ChartStyle, Interval } from '../search'
import type { ChartColors } from './colors'
import { drawPoint } from './drawPoint'
import { PriceLines } from './priceLines'
import { StudySeries } from './studySeries'

const at = (seconds: number) => seconds as UTCTimestamp
const volumeScale = 'volume'
/** How many bars before the left edge older ones are asked for. */
const ahead = 30
/** What the width of a range is for at least, in bars. */
const fewest = 30

export interface ChartHandlers {
  /** the reader has come near the oldest bar */
  onOld: () => void
  /** the crosshair stands on a bar (unix seconds), or on none */
  onPoint: (time: number | null) => void
}

/**
 * PriceChart draws the candles of one symbol. It is told what changes and keeps
 * its series, so that a change of symbol, interval or style moves nothing else.
 */
export class PriceChart {
  readonly chart: IChartApi
  readonly studies: StudySeries
  readonly lines: PriceLines
  private main: ISeriesApi<SeriesType>
  private style: ChartStyle = 'candles'
  private readonly volume: ISeriesApi<'Histogram'>
  private markers: ISeriesMarkersPluginApi<Time>
  private readonly compared = new Map<string, { line: ISeriesApi<'Line'>; bars: readonly Bar[] }>()
  private source: CandleSeries | null = null
  private colors: ChartColors
  private drawn = { first: 0, count: 0 }
  paused = false

  constructor(container: HTMLElement, colors: ChartColors, handlers: ChartHandlers) {
    this.colors = colors
    this.chart = createChart(container, { autoSize: true, crosshair: { mode: CrosshairMode.Normal } })
    this.main = this.make('candles')
    this.markers = createSeriesMarkers(this.main)
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: volumeScale,
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.chart.priceScale(volumeScale).applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } })
    this.studies = new StudySeries(this.chart)
    this.lines = new PriceLines(container, this.chart, () => this.main)
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && this.drawn.count > 0 && range.from < ahead) handlers.onOld()
    })
    this.chart.subscribeCrosshairMove(({ time }) => handlers.onPoint(typeof time === 'number' ? time : null))
    this.paint(colors)
  }

  remove(): void {
    this.lines.remove()
    this.chart.remove()
  }

  /** Takes the colours of another theme. */
  paint(colors: ChartColors): void {
    this.colors = colors
    const { surface, text, line } = colors
    this.chart.applyOptions({
      layout: {
        background: { color: surface },
        textColor: text,
        fontSize: 11,
        panes: { separatorColor: line, enableResize: true },
        attributionLogo: true,
      },
      grid: { vertLines: { color: `${line}88` }, horzLines: { color: `${line}88` } },
      rightPriceScale: {
        borderColor: line,
        scaleMargins: { top: 0.1, bottom: 0.2 },
        // Half a number at the border of two panes cannot be read.
        entireTextOnly: true,
      },
      timeScale: { borderColor: line, timeVisible: true, rightOffset: 6, minBarSpacing: 0.5 },
      localization: {
        priceFormatter: (price: number) => formatPrice(price),
        percentageFormatter: (percent: number) => formatPercent(percent),
        timeFormatter: (time: Time) => formatDateTime(Number(time) * 1000),
      },
    })
    this.main.applyOptions(this.looks(this.style))
    this.studies.paint(colors)
    this.lines.paint(colors)
    for (const [place, { line }] of [...this.compared.values()].entries()) {
      line.applyOptions({ color: colors.series[(place + 1) % colors.series.length] ?? text })
    }
    this.redraw()
  }

  /** Shows other candles: at once, and from now on as they change. */
  show(source: CandleSeries, interval: Interval): void {
    const other = this.source !== source
    this.source = source
    const seconds = interval === '1s'
    this.chart.applyOptions({
      timeScale: {
        secondsVisible: seconds,
        tickMarkFormatter: (time: Time, kind: number) => tickMark(Number(time) * 1000, kind),
      },
    })
    this.redraw()
    if (other) this.toNewest()
  }

  /** How the prices are drawn. */
  drawAs(style: ChartStyle): void {
    if (style === this.style) return
    const old = this.main
    this.style = style
    this.main = this.make(style)
    this.markers.detach()
    this.markers = createSeriesMarkers(this.main)
    this.lines.moved()
    this.main.setSeriesOrder(0)
    this.redraw()
    this.chart.removeSeries(old)
  }

  /** Draws all of it anew: the view stays where it is, counted from the newest bar. */
  redraw(): void {
    const bars = this.source?.all ?? []
    this.main.setData(bars.map((bar) => this.point(bar)))
    this.volume.setData(bars.map((bar) => this.volumePoint(bar)))
    this.drawn = { first: bars[0]?.time ?? 0, count: bars.length }
    this.drawCompared()
    this.mark()
  }

  /** Draws the bars that have changed: the newest, a new one, or one that a late tick amended. */
  update(bars: readonly Bar[]): void {
    if (this.paused) return
    let amended = false
    for (const bar of bars) {
      if (!drawPoint(this.chart, this.main, this.point(bar))) {
        this.redraw()
        return
      }
      drawPoint(this.chart, this.volume, this.volumePoint(bar))
      amended ||= bar.amended > 0
    }
    if (amended) this.mark()
  }

  /** Other symbols as lines; all of them, and the prices, in per cent of where the view begins. */
  compare(symbols: readonly string[]): void {
    for (const [symbol, { line }] of this.compared) {
      if (symbols.includes(symbol)) continue
      this.chart.removeSeries(line)
      this.compared.delete(symbol)
    }
    for (const symbol of symbols) {
      if (this.compared.has(symbol)) continue
      const color =
        this.colors.series[(this.compared.size + 1) % this.colors.series.length] ?? this.colors.accent
      const looks = { color, lineWidth: 2, title: symbol, priceLineVisible: false } as const
      this.compared.set(symbol, { line: this.chart.addSeries(LineSeries, looks), bars: [] })
    }
    const mode = symbols.length > 0 ? PriceScaleMode.Percentage : PriceScaleMode.Normal
    this.chart.priceScale('right').applyOptions({ mode })
  }

  setCompared(symbol: string, bars: readonly Bar[]): void {
    const compared = this.compared.get(symbol)
    if (!compared) return
    compared.bars = bars
    this.drawCompared()
  }

  private drawCompared(): void {
    // Only where the main symbol has bars: other times would stretch the axis.
    const from = this.drawn.first
    for (const { line, bars } of this.compared.values()) {
      line.setData(
        bars.filter(({ time }) => time >= from).map(({ time, close }) => ({ time: at(time), value: close })),
      )
    }
  }

  updateCompared(symbol: string, bars: readonly Bar[]): void {
    if (this.paused) return
    const line = this.compared.get(symbol)?.line
    if (!line) return
    for (const { time, close } of bars) {
      if (!drawPoint(this.chart, line, { time: at(time), value: close })) {
        this.drawCompared()
        return
      }
    }
  }

  /** Shows the last so many seconds. */
  showLast(seconds: number): void {
    const bars = this.source?.all ?? []
    const newest = bars.at(-1)
    if (!newest || !this.source) return
    // A few bars are not blown up to fill the width.
    const from = Math.min(this.source.find(newest.time - seconds), bars.length - fewest)
    this.chart.timeScale().setVisibleLogicalRange({ from: from - 0.5, to: bars.length + 2 })
  }

  /** The view that a chart opens with: the newest bars, as many as can be read. */
  toNewest(): void {
    this.chart.priceScale('right').applyOptions({ autoScale: true })
    this.chart.timeScale().applyOptions({ barSpacing: 8 })
    this.chart.timeScale().scrollToPosition(6, false)
  }

  /** Moves the view by so many bars, to the left if negative. */
  pan(bars: number): void {
    const scale = this.chart.timeScale()
    scale.scrollToPosition(scale.scrollPosition() + bars, false)
  }

  zoom(factor: number): void {
    const scale = this.chart.timeScale()
    const spacing = scale.options().barSpacing * factor
    scale.applyOptions({ barSpacing: Math.min(60, Math.max(0.6, spacing)) })
  }

  picture(): HTMLCanvasElement {
    return this.chart.takeScreenshot(true, false)
  }

  /** The first and the last time in sight, unix seconds. */
  inSight(): { from: number; to: number } | null {
    const range = this.chart.timeScale().getVisibleRange()
    return range && { from: Number(range.from), to: Number(range.to) }
  }

  private make(style: ChartStyle): ISeriesApi<SeriesType> {
    const looks = this.looks(style)
    if (style === 'candles') return this.chart.addSeries(CandlestickSeries, looks)
    if (style === 'bars') return this.chart.addSeries(BarSeries, looks)
    if (style === 'line') return this.chart.addSeries(LineSeries, looks)
    return this.chart.addSeries(AreaSeries, looks)
  }

  private looks(style: ChartStyle) {
    const { up, down, accent } = this.colors
    if (style === 'candles') {
      const borders = { borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down }
      return { upColor: up, downColor: down, ...borders }
    }
    if (style === 'bars') return { upColor: up, downColor: down, thinBars: false }
    if (style === 'line') return { color: accent, lineWidth: 2 as const }
    return { lineColor: accent, topColor: `${accent}55`, bottomColor: `${accent}05`, lineWidth: 2 as const }
  }

  private point(bar: Bar) {
    const { open, high, low, close } = bar
    const time = at(bar.time)
    return this.style === 'line' || this.style === 'area'
      ? { time, value: close }
      : { time, open, high, low, close }
  }

  private volumePoint({ time, volume, open, close }: Bar) {
    return { time: at(time), value: volume, color: close >= open ? this.colors.upTint : this.colors.downTint }
  }

  /** A small mark over each candle that late ticks have changed. */
  private mark(): void {
    const amended = (this.source?.all ?? []).filter((bar) => bar.amended > 0).slice(-200)
    this.markers.setMarkers(
      amended.map(({ time }) => ({
        time: at(time),
        position: 'aboveBar',
        shape: 'circle',
        size: 0.5,
        color: this.colors.warn,
      })),
    )
  }
}

/** What stands under the time axis: kinds are year, month, day, time, time with seconds. */
function tickMark(ms: number, kind: number): string {
  if (kind < 3) return formatMonthDay(ms)
  return kind === 3 ? formatMinute(ms) : formatTime(ms)
}
