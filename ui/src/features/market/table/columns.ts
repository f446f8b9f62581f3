import { age, change, changePercent, type Quote } from '../stream/quote'

export type ColumnId = 'symbol' | 'last' | 'change' | 'percent' | 'volume' | 'age'

export interface Column {
  id: ColumnId
  label: string
  /** what the label leaves out */
  hint: string
  /** what rows are ordered by; null (not known) is always last */
  value: (quote: Quote, now: number) => number | string | null
}

export const columns: readonly Column[] = [
  { id: 'symbol', label: 'Symbol', hint: 'Stock symbol', value: (quote) => quote.symbol },
  { id: 'last', label: 'Last', hint: 'Price of the last trade', value: (quote) => quote.price },
  { id: 'change', label: 'Chg', hint: 'Change since the last price of yesterday (UTC)', value: change },
  { id: 'percent', label: 'Chg %', hint: 'Change in percent', value: changePercent },
  { id: 'volume', label: 'Vol', hint: 'Volume of today (UTC)', value: (quote) => quote.dayVolume },
  { id: 'age', label: 'Age', hint: 'Time since the last trade', value: age },
]
