import '@mantine/spotlight/styles.css'
import { createSpotlight, Spotlight, type SpotlightActionData } from '@mantine/spotlight'
import { IconChartCandle, IconKeyboard, IconPlugConnected, IconSearch, IconSun } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { useSymbols } from '@/features/market'
import { useSettings } from '@/shared/settings/settings'
import { useStream } from '@/shared/stream'
import { Keys } from './Keys'
import { screens } from './screens'
import { actionKeys, toggleHighRate, useFlipTheme } from './useShellShortcuts'

interface PaletteProps {
  opened: boolean
  close: () => void
  openHelp: () => void
}

/** Finds symbols, screens and actions by a few letters. */
export function Palette({ opened, close, openHelp }: PaletteProps) {
  const [[store, spotlight]] = useState(() => createSpotlight())
  const navigate = useNavigate()
  const hub = useStream()
  const symbols = useSymbols()
  const [query, setQuery] = useState('')
  const flipTheme = useFlipTheme()
  const single = useSettings(({ shortcuts }) => shortcuts)
  useEffect(() => {
    if (opened) spotlight.open()
  }, [opened, spotlight])

  const actions = useMemo(() => {
    const hint = (keys: string) => single && <Keys keys={keys} />
    const goTo: SpotlightActionData[] = screens.map(({ path, label, about, keys, Icon }) => ({
      id: path,
      label,
      description: about,
      rightSection: hint(keys),
      leftSection: <Icon size={18} aria-hidden />,
      onClick: () => void navigate({ to: path }),
    }))
    const does: SpotlightActionData[] = [
      {
        id: 'toggle',
        rightSection: hint(actionKeys.toggle),
        label: 'Connect or disconnect',
        leftSection: <IconPlugConnected size={18} aria-hidden />,
        onClick: hub.toggle,
      },
      {
        id: 'rate',
        rightSection: hint(actionKeys.rate),
        label: 'High-rate mode: every tick, or conflated',
        leftSection: <IconPlugConnected size={18} aria-hidden />,
        onClick: toggleHighRate,
      },
      {
        id: 'theme',
        rightSection: hint(actionKeys.theme),
        label: 'Dark or light',
        leftSection: <IconSun size={18} aria-hidden />,
        onClick: flipTheme,
      },
      {
        id: 'help',
        rightSection: hint(actionKeys.help),
        label: 'Keyboard shortcuts',
        leftSection: <IconKeyboard size={18} aria-hidden />,
        onClick: openHelp,
      },
    ]
    const charts: SpotlightActionData[] = [...symbols].sort().map((symbol) => ({
      id: `symbol ${symbol}`,
      label: symbol,
      leftSection: <IconChartCandle size={18} aria-hidden />,
      onClick: () =>
        void navigate({ to: '/s/$symbol', params: { symbol }, search: (before) => before as object }),
    }))
    const own = [
      { group: 'Screens', actions: goTo },
      { group: 'Actions', actions: does },
    ]
    // Who has written nothing yet sees what there is; who writes mostly wants a symbol.
    return query === ''
      ? [...own, { group: 'Symbols', actions: charts }]
      : [{ group: 'Symbols', actions: charts }, ...own]
  }, [query, symbols, navigate, hub, openHelp, flipTheme, single])

  return (
    <Spotlight
      store={store}
      actions={actions}
      shortcut={null}
      query={query}
      onQueryChange={setQuery}
      limit={query === '' ? 24 : 12}
      highlightQuery
      scrollable
      maxHeight={420}
      styles={{ content: { border: '1px solid var(--sf-line)' } }}
      nothingFound="Nothing of that name"
      onSpotlightClose={close}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: 'Symbol, screen or action',
        'aria-label': 'Symbol, screen or action',
      }}
    />
  )
}
