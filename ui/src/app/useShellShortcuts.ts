import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { changeSettings, defaults, useSettings } from '@/shared/settings/settings'
import { type Shortcut, useShortcuts } from '@/shared/shortcuts/shortcuts'
import type { StreamHub } from '@/shared/stream'
import { screens } from './screens'

interface ShellActions {
  hub: StreamHub
  openPalette: () => void
  openHelp: () => void
}

/** The keys of the actions that the palette has too. */
export const actionKeys = { help: '?', toggle: 'Shift+C', rate: 'Shift+H', theme: 'Shift+D' } as const

/** Every tick, or as many as before. */
export function toggleHighRate(): void {
  changeSettings({ maxRate: useSettings.getState().maxRate === null ? defaults.maxRate : null })
}

/** Changes from what is seen to the other: what the system wishes counts as seen. */
export function useFlipTheme(): () => void {
  const { setColorScheme } = useMantineColorScheme()
  const seen = useComputedColorScheme()
  return useCallback(() => setColorScheme(seen === 'dark' ? 'light' : 'dark'), [seen, setColorScheme])
}

/** The keys that do the same on every screen. */
export function useShellShortcuts({ hub, openPalette, openHelp }: ShellActions): void {
  const navigate = useNavigate()
  const flipTheme = useFlipTheme()
  const page = 'Page'
  const shortcuts: Shortcut[] = [
    { keys: 'Mod+K', label: 'Find a symbol, a screen or an action', group: page, run: openPalette },
    { keys: actionKeys.help, label: 'Show these shortcuts', group: page, run: openHelp },
    { keys: actionKeys.toggle, label: 'Connect or disconnect', group: page, run: hub.toggle },
    {
      keys: actionKeys.rate,
      label: 'High-rate mode: every tick, or conflated',
      group: page,
      run: toggleHighRate,
    },
    { keys: actionKeys.theme, label: 'Dark or light', group: page, run: flipTheme },
    ...screens.map(({ path, label, keys }) => ({
      keys,
      label,
      group: 'Go to',
      run: () => void navigate({ to: path }),
    })),
  ]
  useShortcuts(shortcuts)
}
