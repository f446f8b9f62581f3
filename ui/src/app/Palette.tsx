import '@mantine/spotlight/styles.css'
import { useMantineColorScheme } from '@mantine/core'
import { createSpotlight, Spotlight, type SpotlightActionData } from '@mantine/spotlight'
import { IconChartCandle, IconKeyboard, IconPlugConnected, IconSearch, IconSun } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { useSymbols } from '@/features/market'
import { useStream } from '@/shared/stream'
import { screens } from './screens'
import { toggleHighRate } from './useShellShortcuts'

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
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  useEffect(() => {
    if (opened) spotlight.open()
  }, [opened, spotlight])

  const actions = useMemo(() => {
    const goTo: SpotlightActionData[] = screens.map(({ path, label, about, Icon }) => ({
      id: path,
      label,
      description: about,
      leftSection: <Icon size={18} aria-hidden />,
      onClick: () => void navigate({ to: path }),
    }))
    const does: SpotlightActionData[] = [
      {
        id: 'toggle',
        label: 'Connect or disconnect',
        leftSection: <IconPlugConnected size={18} aria-hidden />,
        onClick: hub.toggle,
      },
      {
        id: 'rate',
        label: 'High-rate mode: every tick, or conflated',
        leftSection: <IconPlugConnected size={18} aria-hidden />,
        onClick: toggleHighRate,
      },
      {
        id: 'theme',
        label: 'Dark or light',
        leftSection: <IconSun size={18} aria-hidden />,
        onClick: () => setColorScheme(colorScheme === 'dark' ? 'light' : 'dark'),
      },
      {
        id: 'help',
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
    return [
      { group: 'Symbols', actions: charts },
      { group: 'Screens', actions: goTo },
      { group: 'Actions', actions: does },
    ]
  }, [symbols, navigate, hub, openHelp, colorScheme, setColorScheme])

  return (
    <Spotlight
      store={store}
      actions={actions}
      shortcut={null}
      limit={12}
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
