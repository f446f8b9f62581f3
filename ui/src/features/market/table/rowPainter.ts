import { formatAge, formatChange, formatPercent, formatPrice, formatVolume } from '@/shared/lib/format'
import { useSettings } from '@/shared/settings/settings'
import type { PriceStore } from '../stream/priceStore'
import { age, change, changePercent, isStale, type Quote } from '../stream/quote'
import type { ColumnId } from './columns'
import { Flashes } from './flashes'
import { sparkPoints } from './sparkline'

/** The element of a row that shows the live part of a column. */
export type CellId = Exclude<ColumnId, 'symbol' | 'spark'> | 'arrow'

interface Row {
  element: HTMLElement
  cells: Map<CellId, HTMLElement>
  spark: SVGPolylineElement | null
  price: number | null
  /** how many minutes the line was last drawn through */
  minutes: number
}

/**
 * RowPainter writes the live cells of the rows, past React: at thousands of
 * ticks a second a render for each costs several times as much. React makes and
 * moves the rows, and never writes what is in these cells.
 */
export class RowPainter {
  private readonly rows = new Map<string, Row>()
  private readonly flashes = new Flashes()
  private now = 0
  private live = false

  constructor(private readonly store: PriceStore) {}

  /** Paints on every flush of the store until the returned function is called. */
  start(): () => void {
    const stop = this.store.onFlush((dirty) => {
      for (const symbol of dirty) this.paint(symbol)
    })
    return () => {
      stop()
      this.flashes.stop()
    }
  }

  attach(symbol: string, element: HTMLElement): () => void {
    const cells = new Map<CellId, HTMLElement>()
    const spark = element.querySelector('polyline')
    for (const cell of element.querySelectorAll<HTMLElement>('[data-cell]')) {
      cells.set(cell.dataset.cell as CellId, cell)
    }
    const row: Row = { element, cells, spark, price: null, minutes: 0 }
    this.rows.set(symbol, row)
    this.paint(symbol)
    const quote = this.store.get(symbol)
    if (quote) this.paintSpark(row, quote)
    return () => {
      if (this.rows.get(symbol) === row) this.rows.delete(symbol)
    }
  }

  /** Writes the ages, once a second; now is the server's time. */
  tick(now: number, live: boolean): void {
    this.now = now
    this.live = live
    for (const [symbol, row] of this.rows) {
      const quote = this.store.get(symbol)
      if (!quote) continue
      this.paintAge(row, quote)
      this.paintSpark(row, quote)
    }
  }

  private paintSpark(row: Row, { minutes }: Quote): void {
    const { element, spark } = row
    if (!spark) return
    row.minutes = minutes.length
    mark(element, 'hour', direction((minutes.at(-1)?.close ?? 0) - (minutes[0]?.close ?? 0)))
    const points = sparkPoints(minutes, Math.floor(this.now / 60_000))
    if (spark.getAttribute('points') !== points) spark.setAttribute('points', points)
  }

  private paint(symbol: string): void {
    const row = this.rows.get(symbol)
    const quote = this.store.get(symbol)
    if (!row || !quote) return
    const amount = change(quote)
    write(row, 'last', formatPrice(quote.price))
    write(row, 'change', formatChange(amount, quote.price))
    write(row, 'percent', formatPercent(changePercent(quote)))
    write(row, 'volume', formatVolume(quote.dayVolume))
    write(row, 'trend', quote.trend ? trendWords[quote.trend] : '')
    mark(row.element, 'trend', direction(amount))
    mark(row.element, 'going', quote.trend ?? '')
    this.paintMove(row, quote.price)
    this.paintAge(row, quote)
    // The line moves once a second; what was read of the past must not wait for that.
    if (row.minutes !== quote.minutes.length) this.paintSpark(row, quote)
  }

  private paintMove(row: Row, price: number | null): void {
    const before = row.price
    row.price = price
    if (before === null || price === null || price === before) return
    const move = direction(price - before)
    write(row, 'arrow', move === 'up' ? '▲' : '▼')
    mark(row.element, 'move', move)
    const cell = row.cells.get('last')
    if (cell && useSettings.getState().flash) this.flashes.flash(cell, move)
  }

  private paintAge(row: Row, quote: Quote): void {
    const stale = isStale(quote, this.now, this.live)
    const text = formatAge(age(quote, this.now))
    write(row, 'age', stale ? `stale ${text}` : text)
    mark(row.element, 'stale', stale ? 'true' : '')
  }
}

const trendWords = { up: '↗ up', down: '↘ down', flat: '→ flat' } as const

function direction(amount: number | null): 'up' | 'down' | '' {
  if (!amount) return ''
  return amount > 0 ? 'up' : 'down'
}

/** Writes only what differs: an equal text would still cost a layout. */
function write(row: Row, id: CellId, text: string): void {
  const cell = row.cells.get(id)
  if (!cell) return
  const node = cell.firstChild
  if (node === null) cell.textContent = text
  else if (node.nodeValue !== text) node.nodeValue = text
}

function mark(element: HTMLElement, name: string, value: string): void {
  if ((element.dataset[name] ?? '') === value) return
  if (value) element.dataset[name] = value
  else delete element.dataset[name]
}
