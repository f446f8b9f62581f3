import {
  IconActivity,
  IconBell,
  IconBolt,
  IconChartCandle,
  IconListDetails,
  IconRoute,
  IconSettings,
  IconTimelineEvent,
} from '@tabler/icons-react'

export type ScreenPath = '/' | '/alerts' | '/functions' | '/pipeline' | '/inspector' | '/events' | '/settings'

export interface ScreenEntry {
  path: ScreenPath
  label: string
  /** what it is for: the palette shows it */
  about: string
  keys: string
  Icon: typeof IconBell
}

/** The screens in the order of the navigation. */
export const screens: readonly ScreenEntry[] = [
  { path: '/', label: 'Market', about: 'All symbols, live', keys: 'Shift+M', Icon: IconListDetails },
  { path: '/alerts', label: 'Alerts', about: 'Rules, and what they raised', keys: 'Shift+A', Icon: IconBell },
  {
    path: '/functions',
    label: 'Functions',
    about: 'What runs on the stream',
    keys: 'Shift+F',
    Icon: IconBolt,
  },
  { path: '/pipeline', label: 'Pipeline', about: 'The way of a tick', keys: 'Shift+P', Icon: IconRoute },
  {
    path: '/inspector',
    label: 'Inspector',
    about: 'Every message, as it comes',
    keys: 'Shift+I',
    Icon: IconActivity,
  },
  {
    path: '/events',
    label: 'Events',
    about: 'Buckets and logins',
    keys: 'Shift+E',
    Icon: IconTimelineEvent,
  },
  {
    path: '/settings',
    label: 'Settings',
    about: 'Theme, density, numbers, rate',
    keys: 'Shift+S',
    Icon: IconSettings,
  },
]

export const SymbolIcon = IconChartCandle
