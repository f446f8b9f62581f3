import { getRouteApi } from '@tanstack/react-router'
import { joinSpecs, parseSpecs } from './data/specs'
import { rangeViews, type SymbolSearch } from './search'

const route = getRouteApi('/s/$symbol')

/** What the address says, and how to change it: the whole screen can be linked to. */
export function useSymbolAddress() {
  const { symbol } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (news: Partial<SymbolSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...news }), replace: true })
  return {
    symbol,
    interval: search.interval ?? (search.range ? rangeViews[search.range].interval : '1m'),
    style: search.style ?? 'candles',
    range: search.range,
    specs: parseSpecs(search.ind),
    compared: [...new Set((search.cmp ?? '').split(','))].filter((one) => one && one !== symbol).slice(0, 6),
    change,
    setSpecs: (specs: readonly string[]) => change({ ind: joinSpecs(specs) }),
    setCompared: (symbols: readonly string[]) => change({ cmp: symbols.join(',') || undefined }),
    open: (other: string) =>
      void navigate({ to: '/s/$symbol', params: { symbol: other }, search: (before) => before }),
  }
}

export type SymbolAddress = ReturnType<typeof useSymbolAddress>
