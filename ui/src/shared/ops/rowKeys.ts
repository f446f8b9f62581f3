import { type RefObject, useEffect, useRef } from 'react'

/** The rows of a table that can be opened, in their order: what is marked data-open. */
export function rowsIn(box: HTMLElement | null): HTMLElement[] {
  return [...(box?.querySelectorAll<HTMLElement>('[data-open]') ?? [])]
}

/**
 * The arrows go from row to row while one has the focus; other keys go to
 * `onKey` with the number of the row, which says whether it took them.
 */
export function useRowKeys(
  box: RefObject<HTMLElement | null>,
  onKey?: (key: string, row: number) => boolean,
): void {
  const newest = useRef(onKey)
  useEffect(() => {
    newest.current = onKey
  })
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !box.current?.contains(event.target as Node))
        return
      const rows = rowsIn(box.current)
      const at = rows.indexOf(document.activeElement as HTMLElement)
      if (at < 0) return
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (step) rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus()
      else if (!newest.current?.(event.key, at)) return
      event.preventDefault()
    }
    // In the capture phase: the keys of the screen, which listen at the document, come after.
    document.addEventListener('keydown', pressed, { capture: true })
    return () => document.removeEventListener('keydown', pressed, { capture: true })
  }, [box])
}
