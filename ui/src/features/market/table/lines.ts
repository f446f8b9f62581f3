import type { PriceStore } from '../stream/priceStore'
import { change } from '../stream/quote'
import type { Grouping } from './preferences'

/** A line of the watchlist: a symbol, or the heading of those that follow. */
export type Line = { symbol: string } | { heading: string; count: number }

const directions = ['Rising', 'Falling', 'Unchanged'] as const

/** Puts ordered symbols under headings; the pinned ones stand first. */
export function groupLines(
  store: PriceStore,
  ordered: readonly string[],
  pinned: readonly string[],
  grouping: Grouping,
): Line[] {
  const first = pinned.filter((symbol) => ordered.includes(symbol))
  const rest = ordered.filter((symbol) => !pinned.includes(symbol))
  const groups = new Map<string, string[]>()
  if (first.length > 0) groups.set('Pinned', first)
  if (grouping === 'direction') for (const name of directions) groups.set(name, [])
  for (const symbol of rest) {
    const name = nameOf(store, symbol, grouping)
    groups.set(name, [...(groups.get(name) ?? []), symbol])
  }
  const named = grouping !== 'none' || first.length > 0
  return [...groups].flatMap(([heading, symbols]) => {
    if (symbols.length === 0) return []
    const lines: Line[] = symbols.map((symbol) => ({ symbol }))
    return named ? [{ heading, count: symbols.length }, ...lines] : lines
  })
}

function nameOf(store: PriceStore, symbol: string, grouping: Grouping): string {
  if (grouping === 'none') return 'Others'
  if (grouping === 'letter') return symbol[0] ?? ''
  const quote = store.get(symbol)
  const amount = (quote && change(quote)) || 0
  return amount > 0 ? directions[0] : amount < 0 ? directions[1] : directions[2]
}
