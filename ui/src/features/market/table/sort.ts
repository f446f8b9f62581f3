import type { PriceStore } from '../stream/priceStore'
import { type ColumnId, columns } from './columns'

export interface Sort {
  column: ColumnId
  descending: boolean
}

/** A click on a column's head: its natural direction first (text up, numbers down), then the other. */
export function nextSort(current: Sort, column: ColumnId): Sort {
  if (current.column === column) return { column, descending: !current.descending }
  return { column, descending: column !== 'symbol' && column !== 'age' }
}

/** The symbols that hold the text, in order. Where two are equal, the symbol decides. */
export function orderSymbols(
  store: PriceStore,
  symbols: readonly string[],
  text: string,
  sort: Sort,
  now: number,
): string[] {
  const column = columns.find((candidate) => candidate.id === sort.column)
  const wanted = text.trim().toUpperCase()
  const keyed = symbols
    .filter((symbol) => symbol.toUpperCase().includes(wanted))
    .map((symbol) => {
      const quote = store.get(symbol)
      return { symbol, key: (quote && column?.value(quote, now)) ?? null }
    })
  const way = sort.descending ? -1 : 1
  keyed.sort((a, b) => {
    if (a.key === b.key) return compare(a.symbol, b.symbol)
    if (a.key === null) return 1
    if (b.key === null) return -1
    return way * compare(a.key, b.key)
  })
  return keyed.map(({ symbol }) => symbol)
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
