import { age, change, changePercent, type Quote } from '../stream/quote'

export type ColumnId = 'symbol' | 'last' | 'change' | 'percent' | 'volume' | 'spark' | 'trend' | 'age'

export interface Column {
  id: ColumnId
  label: string
  /** what the label leaves out */
  hint: string
  /** what rows are ordered by; null (not known) is always last */
  value: (quote: Quote, now: number) => number | string | null
}

const trends = { up: 1, flat: 0, down: -1 } as const

export const columns: readonly Column[] = [
  { id: 'symbol', label: 'Symbol', hint: 'Stock symbol', value: (quote) => quote.symbol },
  { id: 'last', label: 'Last', hint: 'Price of the last trade', value: (quote) => quote.price },
  { id: 'change', label: 'Chg', hint: 'Change since the last price of yesterday (UTC)', value: change },
  { id: 'percent', label: 'Chg %', hint: 'Change in percent', value: changePercent },
  { id: 'volume', label: 'Vol', hint: 'Volume of today (UTC)', value: (quote) => quote.dayVolume },
  {
    id: 'spark',
    label: '1 h',
    hint: 'Closes of the last 60 minutes; rows are ordered by their change',
    value: (quote) => sparkChange(quote),
  },
  {
    id: 'trend',
    label: 'Trend',
    hint: 'Of the newest ticks: averages apart by more than half of the range',
    value: (quote) => (quote.trend ? trends[quote.trend] : null),
  },
  { id: 'age', label: 'Age', hint: 'Time since the last trade', value: age },
]

function sparkChange({ minutes, price }: Quote): number | null {
  const first = minutes[0]?.close
  return first === undefined || price === null ? null : price / first - 1
}
