import { useMantineColorScheme } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { changeSettings, defaults, useSettings } from '@/shared/settings/settings'
import { type Shortcut, useShortcuts } from '@/shared/shortcuts/shortcuts'
import type { StreamHub } from '@/shared/stream'
import { screens } from './screens'

interface ShellActions {
  hub: StreamHub
  openPalette: () => void
  openHelp: () => void
}

/** Every tick, or as many as before. */
export function toggleHighRate(): void {
  changeSettings({ maxRate: useSettings.getState().maxRate === null ? defaults.maxRate : null })
}

/** The keys that do the same on every screen. */
export function useShellShortcuts({ hub, openPalette, openHelp }: ShellActions): void {
  const navigate = useNavigate()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const page = 'Page'
  const shortcuts: Shortcut[] = [
    { keys: 'Mod+K', label: 'Find a symbol, a screen or an action', group: page, run: openPalette },
    { keys: '?', label: 'Show these shortcuts', group: page, run: openHelp },
    { keys: 'Shift+C', label: 'Connect or disconnect', group: page, run: hub.toggle },
    { keys: 'Shift+H', label: 'High-rate mode: every tick, or conflated', group: page, run: toggleHighRate },
    {
      keys: 'Shift+D',
      label: 'Dark or light',
      group: page,
      run: () => setColorScheme(colorScheme === 'dark' ? 'light' : 'dark'),
    },
    ...screens.map(({ path, label, keys }) => ({
      keys,
      label,
      group: 'Go to',
      run: () => void navigate({ to: path }),
    })),
  ]
  useShortcuts(shortcuts)
}
