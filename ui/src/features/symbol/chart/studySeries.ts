import {
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts'
import type { IndicatorPoints } from '../data/useIndicators'
import type { ChartColors } from './colors'
import { drawPoint } from './drawPoint'
import { type Line, type Study, withLevels } from './studies'

interface Drawn {
  api: ISeriesApi<SeriesType>
  guides: IPriceLine[]
  line: Line
  pane: number
  empty: boolean
}

/** The lines of the indicators. A line that stays in its place keeps its series. */
export class StudySeries {
  private readonly drawn = new Map<string, Drawn>()
  private colors: ChartColors | null = null
  private base: IndicatorPoints | undefined

  constructor(private readonly chart: IChartApi) {}

  paint(colors: ChartColors): void {
    this.colors = colors
    for (const { api, line, guides } of this.drawn.values()) {
      api.applyOptions({ color: this.colorOf(line) })
      for (const guide of guides) guide.applyOptions({ color: colors.text })
    }
  }

  plan(studies: readonly Study[]): void {
    const wanted = new Map(
      studies.flatMap(({ pane, lines }) => lines.map((line) => [line.name, { line, pane }] as const)),
    )
    for (const [name, { api, pane }] of this.drawn) {
      if (wanted.get(name)?.pane === pane) continue
      this.chart.removeSeries(api)
      this.drawn.delete(name)
    }
    for (const [name, { line, pane }] of wanted) {
      const known = this.drawn.get(name)
      if (known) {
        known.line = line
        known.api.applyOptions({ color: this.colorOf(line) })
      } else {
        const api = this.add(line, pane)
        this.drawn.set(name, { api, guides: this.guide(api, line), line, pane, empty: true })
      }
    }
    this.base = undefined
    for (const [at, pane] of this.chart.panes().entries()) pane.setStretchFactor(at === 0 ? 4 : 1)
  }

  /** Draws the values: layers later in the list are newer than what is before them. */
  draw(layers: readonly IndicatorPoints[], times: readonly number[]): void {
    const [base] = layers
    const whole = base !== this.base
    this.base = base
    for (const drawn of this.drawn.values()) {
      if (whole || drawn.empty || !this.drawTail(drawn, layers.slice(1))) this.drawAll(drawn, layers, times)
    }
  }

  private drawAll(drawn: Drawn, layers: readonly IndicatorPoints[], times: readonly number[]): void {
    const { name } = drawn.line
    const points = times.flatMap((time) => {
      const value = layers.findLast((layer) => layer.get(time)?.[name] !== undefined)?.get(time)?.[name]
      return value === undefined ? [] : [this.point(drawn.line, time, value)]
    })
    drawn.api.setData(points)
    drawn.empty = points.length === 0
  }

  /** False if a value belongs between others: that of a candle which a late tick has made. */
  private drawTail(drawn: Drawn, layers: readonly IndicatorPoints[]): boolean {
    for (const layer of layers) {
      for (const [time, values] of [...layer].slice(-50)) {
        const value = values[drawn.line.name]
        if (value === undefined) continue
        if (!drawPoint(this.chart, drawn.api, this.point(drawn.line, time, value))) return false
      }
    }
    return true
  }

  private point(line: Line, time: number, value: number) {
    const point = { time: time as UTCTimestamp, value }
    if (line.kind === 'line' || !this.colors) return point
    return { ...point, color: value >= 0 ? this.colors.up : this.colors.down }
  }

  private add(line: Line, pane: number): ISeriesApi<SeriesType> {
    const quiet = { priceLineVisible: false, lastValueVisible: pane > 0 }
    const color = this.colorOf(line)
    if (line.kind === 'histogram') return this.chart.addSeries(HistogramSeries, { ...quiet, color }, pane)
    const lineStyle = line.dashed ? LineStyle.Dashed : LineStyle.Solid
    const looks = {
      ...quiet,
      ...{ color, lineStyle, lineWidth: 1 as const, crosshairMarkerRadius: 2 },
      ...(line.levels.length > 0 && { autoscaleInfoProvider: withLevels(line.levels) }),
    }
    return this.chart.addSeries(LineSeries, looks, pane)
  }

  private guide(api: ISeriesApi<SeriesType>, { levels }: Line): IPriceLine[] {
    const looks = { lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: false } as const
    return levels.map((price) => api.createPriceLine({ ...looks, price, color: this.colors?.text ?? '' }))
  }

  private colorOf(line: Line): string {
    const all = this.colors?.series ?? []
    return all[line.color % Math.max(1, all.length)] ?? ''
  }
}
