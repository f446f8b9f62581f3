import { useEffect, useRef } from 'react'
import { create } from 'zustand'
import { useSettings } from '@/shared/settings/settings'

export interface Shortcut {
  /** as the help shows it: "Shift+M", "?", "/", "ArrowDown", "Mod+K" (Ctrl, or Cmd on a Mac) */
  keys: string
  label: string
  /** the heading that it stands under in the help */
  group: string
  run: (event: KeyboardEvent) => void
}

interface Registry {
  shortcuts: readonly Shortcut[]
}

/** What the keys do now: the screens that are open add theirs. */
export const useShortcutRegistry = create<Registry>()(() => ({ shortcuts: [] }))

/**
 * Binds keys while the component is there, and lists them in the help. None may
 * be a key that a browser reserves (Ctrl+T, Ctrl+L, Alt+1, F5, ...).
 */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const newest = useRef(shortcuts)
  useEffect(() => {
    newest.current = shortcuts
  })
  const names = shortcuts.map(({ keys, label, group }) => `${keys}|${label}|${group}`).join('\n')
  useEffect(() => {
    const mine = names
      .split('\n')
      .filter(Boolean)
      .map((name) => {
        const [keys = '', label = '', group = ''] = name.split('|')
        const run = (event: KeyboardEvent) => newest.current.find((one) => one.keys === keys)?.run(event)
        return { keys, label, group, run }
      })
    useShortcutRegistry.setState(({ shortcuts: all }) => ({ shortcuts: [...all, ...mine] }))
    return () =>
      useShortcutRegistry.setState(({ shortcuts: all }) => ({
        shortcuts: all.filter((one) => !mine.includes(one)),
      }))
  }, [names])
}

/** Listens to the keys; the last who bound a key has it. */
export function listenToKeys(target: Document): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    const name = keyName(event)
    const modified = event.ctrlKey || event.metaKey
    if (!modified && (isTyping(event.target) || !useSettings.getState().shortcuts)) return
    if (name === ' ' && isPressed(event.target)) return
    const found = useShortcutRegistry.getState().shortcuts.findLast(({ keys }) => keys === name)
    if (!found) return
    event.preventDefault()
    found.run(event)
  }
  target.addEventListener('keydown', pressed)
  return () => target.removeEventListener('keydown', pressed)
}

/** What the help calls the keys of an event. */
export function keyName(event: KeyboardEvent): string {
  if (event.altKey) return ''
  const letter = /^[a-z]$/i.test(event.key)
  const key = letter ? event.key.toUpperCase() : event.key
  if (event.ctrlKey || event.metaKey) return `Mod+${key}`
  if (!event.shiftKey) return letter ? key.toLowerCase() : key
  return letter || key.length > 1 ? `Shift+${key}` : key
}

/** Whether Space does something where it is pressed: what has the focus comes before the page. */
function isPressed(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('a, button, input, summary, [role="button"]') !== null
  )
}

/** Whether the keys belong to where they are pressed: a field, or something that is open above the page. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('[role="dialog"], [role="menu"], [role="listbox"]'))
    return true
  if (target instanceof HTMLInputElement)
    return !/^(button|checkbox|radio|range|reset|submit)$/.test(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}
