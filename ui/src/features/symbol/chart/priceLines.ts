import {
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type SeriesType,
} from 'lightweight-charts'
import type { ChartColors } from './colors'

/** A price that is drawn across the chart and can be dragged. */
export interface Level {
  id: string
  price: number
  title: string
  disabled: boolean
}

/** How near the pointer must be to take a line, in px. */
const reach = 6

/** Levels across the chart that the pointer moves up and down. */
export class PriceLines {
  /** told when a level was dropped at another price */
  onMove: ((id: string, price: number) => void) | null = null
  private levels: readonly Level[] = []
  private readonly drawn = new Map<string, IPriceLine>()
  private colors: ChartColors | null = null
  private held: { level: Level; price: number } | null = null

  constructor(
    private readonly container: HTMLElement,
    private readonly chart: IChartApi,
    private readonly series: () => ISeriesApi<SeriesType>,
  ) {
    container.addEventListener('pointerdown', this.take, true)
    container.addEventListener('pointermove', this.move, true)
    container.addEventListener('pointerup', this.drop, true)
    container.addEventListener('pointercancel', this.cancel, true)
  }

  remove(): void {
    this.container.removeEventListener('pointerdown', this.take, true)
    this.container.removeEventListener('pointermove', this.move, true)
    this.container.removeEventListener('pointerup', this.drop, true)
    this.container.removeEventListener('pointercancel', this.cancel, true)
  }

  paint(colors: ChartColors): void {
    this.colors = colors
    this.set(this.levels)
  }

  set(levels: readonly Level[]): void {
    this.levels = levels
    const known = new Set(levels.map(({ id }) => id))
    for (const [id, line] of this.drawn) {
      if (known.has(id)) continue
      this.series().removePriceLine(line)
      this.drawn.delete(id)
    }
    for (const level of levels) {
      const looks = this.looks(level)
      const line = this.drawn.get(level.id)
      if (line) line.applyOptions(looks)
      else this.drawn.set(level.id, this.series().createPriceLine(looks))
    }
  }

  /** The prices are drawn by another series now. */
  moved(): void {
    this.drawn.clear()
    this.set(this.levels)
  }

  private looks({ id, price, title, disabled }: Level) {
    const color = (disabled ? this.colors?.text : this.colors?.warn) ?? ''
    const held = this.held?.level.id === id ? this.held.price : price
    return {
      price: held,
      title,
      color,
      lineStyle: LineStyle.Dashed,
      lineWidth: 1 as const,
      axisLabelVisible: true,
    }
  }

  private near(event: PointerEvent): Level | undefined {
    const box = this.container.getBoundingClientRect()
    const y = event.clientY - box.top
    const inside = event.clientX - box.left < box.width - this.chart.priceScale('right').width()
    const mainPane = y < (this.chart.panes()[0]?.getHeight() ?? 0)
    if (!inside || !mainPane) return undefined
    return this.levels.find(({ price }) => {
      const line = this.series().priceToCoordinate(price)
      return line !== null && Math.abs(line - y) <= reach
    })
  }

  private readonly take = (event: PointerEvent): void => {
    const level = this.onMove ? this.near(event) : undefined
    if (!level) return
    this.held = { level, price: level.price }
    this.container.setPointerCapture(event.pointerId)
    this.chart.applyOptions({ handleScroll: false, handleScale: false })
    event.preventDefault()
    event.stopPropagation()
  }

  private readonly move = (event: PointerEvent): void => {
    if (!this.held) {
      this.container.dataset.grab = this.onMove && this.near(event) ? 'true' : 'false'
      return
    }
    const y = event.clientY - this.container.getBoundingClientRect().top
    const price = this.series().coordinateToPrice(y)
    if (price === null) return
    this.held.price = rounded(price)
    this.drawn.get(this.held.level.id)?.applyOptions({ price: this.held.price })
    event.stopPropagation()
  }

  private readonly drop = (event: PointerEvent): void => {
    const { held } = this
    if (!held) return
    this.release(event)
    if (held.price !== held.level.price) this.onMove?.(held.level.id, held.price)
  }

  private readonly cancel = (event: PointerEvent): void => {
    if (!this.held) return
    this.release(event)
    this.set(this.levels)
  }

  private release(event: PointerEvent): void {
    this.held = null
    this.container.releasePointerCapture(event.pointerId)
    this.chart.applyOptions({ handleScroll: true, handleScale: true })
  }
}

/** To the cent; below 1 to four digits. */
function rounded(price: number): number {
  return Number(Math.abs(price) >= 1 ? price.toFixed(2) : price.toPrecision(4))
}
