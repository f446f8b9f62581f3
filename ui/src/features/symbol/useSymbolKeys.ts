import { useEffect } from 'react'
import { flushSync } from 'react-dom'
import { useSymbols } from '@/features/market'
import { useSettings } from '@/shared/settings/settings'
import { isTyping, type Shortcut, useShortcuts } from '@/shared/shortcuts/shortcuts'
import type { PriceChart } from './chart/priceChart'
import { intervals } from './search'
import type { SymbolAddress } from './useSymbolAddress'

interface Actions {
  address: SymbolAddress
  chart: PriceChart | null
  pause: () => void
  reset: () => void
  table: () => void
  pick: (typed: string) => void
}

const group = 'Symbol'

/** The keys of the symbol screen: arrows, digits, and letters, which find another symbol. */
export function useSymbolKeys({ address, chart, pause, reset, table, pick }: Actions): void {
  const symbols = [...useSymbols()].sort()
  const step = (by: number) => {
    const at = symbols.indexOf(address.symbol)
    const next = symbols[(at + by + symbols.length) % symbols.length]
    if (next) address.open(next)
  }
  const shortcuts: Shortcut[] = [
    { keys: 'ArrowUp', label: 'Symbol before', group, run: () => step(-1) },
    { keys: 'ArrowDown', label: 'Symbol after', group, run: () => step(1) },
    { keys: 'ArrowLeft', label: 'Back in time', group, run: () => chart?.pan(-12) },
    { keys: 'ArrowRight', label: 'Forward in time', group, run: () => chart?.pan(12) },
    { keys: '+', label: 'Larger candles', group, run: () => chart?.zoom(1.25) },
    { keys: '-', label: 'Smaller candles', group, run: () => chart?.zoom(0.8) },
    { keys: ' ', label: 'Pause or resume the chart', group, run: pause },
    { keys: 'Home', label: 'Reset the chart', group, run: reset },
    { keys: 'Shift+T', label: 'Chart or table', group, run: table },
    ...intervals.map((interval, at) => ({
      keys: String(at + 1),
      label: `Candles of ${interval}`,
      group,
      run: () => address.change({ interval, range: undefined }),
    })),
    { keys: 'a … z', label: 'Type a symbol to change to it', group, run: () => undefined },
  ]
  useShortcuts(shortcuts)

  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
      if (!/^[a-z]$/i.test(event.key) || !useSettings.getState().shortcuts) return
      // A button of the toolbar that still has the focus takes no letters.
      if (isTyping(event.target)) return
      event.preventDefault()
      // The next key may already wait: the field that takes it must be there and focused before.
      flushSync(() => pick(event.key))
    }
    document.addEventListener('keydown', typed)
    return () => document.removeEventListener('keydown', typed)
  }, [pick])
}
