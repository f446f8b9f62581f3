/** What the address of the symbol screen may say behind the question mark. */
export interface SymbolSearch {
  interval?: Interval | undefined
  range?: Range | undefined
  /** specs of indicators, with semicolons between: "sma(20);rsi(14)" */
  ind?: string | undefined
  /** symbols to compare with, with commas between */
  cmp?: string | undefined
  style?: ChartStyle | undefined
}

export const intervals = ['1s', '1m', '5m', '15m', '1h', '1d'] as const
export type Interval = (typeof intervals)[number]

/** How long an interval is, in seconds. */
export function lengthOf(interval: Interval): number {
  return { '1s': 1, '1m': 60, '5m': 300, '15m': 900, '1h': 3600, '1d': 86_400 }[interval]
}

export const ranges = ['1m', '5m', '15m', '1H', '24H', '7D', '30D'] as const
export type Range = (typeof ranges)[number]

/** What a range shows: how long it is in seconds, and the candles that fit it. */
export const rangeViews: Record<Range, { seconds: number; interval: Interval }> = {
  '1m': { seconds: 60, interval: '1s' },
  '5m': { seconds: 300, interval: '1s' },
  '15m': { seconds: 900, interval: '1s' },
  '1H': { seconds: 3600, interval: '1m' },
  '24H': { seconds: 86_400, interval: '5m' },
  '7D': { seconds: 7 * 86_400, interval: '1h' },
  '30D': { seconds: 30 * 86_400, interval: '1h' },
}

export const styles = ['candles', 'bars', 'line', 'area'] as const
export type ChartStyle = (typeof styles)[number]

/** Reads the search of an address; what is no good is left out. */
export function readSymbolSearch(search: Record<string, unknown>): SymbolSearch {
  const found: SymbolSearch = {}
  const { interval, range, ind, cmp, style } = search
  if (isOneOf(intervals, interval)) found.interval = interval
  if (isOneOf(ranges, range)) found.range = range
  if (isOneOf(styles, style)) found.style = style
  if (typeof ind === 'string' && ind) found.ind = ind.slice(0, 1000)
  if (typeof cmp === 'string' && cmp) found.cmp = cmp.slice(0, 500)
  return found
}

function isOneOf<T extends string>(all: readonly T[], value: unknown): value is T {
  return typeof value === 'string' && (all as readonly string[]).includes(value)
}
