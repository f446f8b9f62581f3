import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, type RefObject, useState } from 'react'
import type { Line } from './lines'
import { useTablePreferences } from './preferences'

/** The arrows go from symbol to symbol, Enter opens one, p pins it. Step is how many one line of the screen holds. */
export function useRowKeys(
  lines: readonly Line[],
  box: RefObject<HTMLElement | null>,
  show: (line: number) => void,
  step = 1,
) {
  const navigate = useNavigate()
  const [wanted, setWanted] = useState<string | null>(null)
  const symbols = lines.flatMap((line) => ('symbol' in line ? [line.symbol] : []))
  const active = wanted !== null && symbols.includes(wanted) ? wanted : (symbols[0] ?? null)

  const go = (symbol: string | undefined) => {
    if (symbol === undefined) return
    setWanted(symbol)
    show(lines.findIndex((line) => 'symbol' in line && line.symbol === symbol))
    const focus = () =>
      box.current?.querySelector<HTMLElement>(`[data-row-link="${CSS.escape(symbol)}"]`)?.focus()
    focus()
    // One that was out of sight is there after the list has scrolled to it.
    requestAnimationFrame(focus)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || active === null) return
    const at = symbols.indexOf(active)
    const moves: Record<string, number> = {
      ArrowDown: at + step,
      ArrowUp: at - step,
      ...(step > 1 && { ArrowRight: at + 1, ArrowLeft: at - 1 }),
      Home: 0,
      End: symbols.length - 1,
      PageDown: Math.min(symbols.length - 1, at + 15),
      PageUp: Math.max(0, at - 15),
    }
    // From the heads of the columns the arrows lead to the rows first.
    const outside = !(event.target as HTMLElement).closest('[data-symbol]')
    const to = moves[event.key] === undefined || !outside ? moves[event.key] : at
    if (to !== undefined) go(symbols[to])
    else if (event.key === 'p') useTablePreferences.getState().togglePin(active)
    else if (event.key === 'Enter' && !(event.target instanceof HTMLButtonElement)) {
      void navigate({ to: '/s/$symbol', params: { symbol: active } })
    } else return
    event.preventDefault()
  }
  return { active, onKeyDown, focusFirst: () => go(symbols[0]) }
}
