import { create } from 'zustand'
import { persist } from 'zustand/middleware'
import { setNumberLocale } from '@/shared/lib/format'
import { setTimeZone, type TimeZone } from '@/shared/lib/time'

export type Density = 'compact' | 'normal'
/** how numbers are written; 'system' is as the browser does */
export type NumberFormat = 'en-US' | 'de-DE' | 'fr-FR' | 'de-CH' | 'en-IN' | 'system'

export interface Settings {
  density: Density
  numbers: NumberFormat
  timeZone: TimeZone
  /** ticks a second and symbol at most; null is every one (high-rate mode) */
  maxRate: number | null
  /** whether single keys do something (WCAG 2.1.4: it can be turned off) */
  shortcuts: boolean
  /** whether a cell that changes is tinted for a moment */
  flash: boolean
  /** whether a fired alert may be heard */
  sound: boolean
}

export const densities: readonly Density[] = ['compact', 'normal']
export const numberFormats: readonly NumberFormat[] = ['en-US', 'de-DE', 'fr-FR', 'de-CH', 'en-IN', 'system']
export const timeZones: readonly TimeZone[] = ['utc', 'local']
export const rates: readonly (number | null)[] = [1, 4, 10, 20, null]

export const defaults: Settings = {
  density: 'compact',
  numbers: 'en-US',
  timeZone: 'utc',
  maxRate: 10,
  shortcuts: true,
  flash: true,
  sound: false,
}

/** How this reader likes the page; it is kept in the browser. Read with useSettings((s) => s.density). */
export const useSettings = create<Settings>()(
  persist(() => defaults, {
    name: 'streamflow-settings',
    // What is stored may be of another version of the page, or of somebody's hand.
    merge: (stored, current) => ({ ...current, ...valid(stored) }),
  }),
)

export function changeSettings(news: Partial<Settings>): void {
  useSettings.setState(news)
}

function valid(stored: unknown): Partial<Settings> {
  if (typeof stored !== 'object' || stored === null) return {}
  const given = stored as Settings
  const good: Partial<Settings> = {}
  if (densities.includes(given.density)) good.density = given.density
  if (numberFormats.includes(given.numbers)) good.numbers = given.numbers
  if (timeZones.includes(given.timeZone)) good.timeZone = given.timeZone
  if (rates.includes(given.maxRate)) good.maxRate = given.maxRate
  for (const name of ['shortcuts', 'flash', 'sound'] as const) {
    if (typeof given[name] === 'boolean') good[name] = given[name]
  }
  return good
}

/** Makes numbers and times follow the settings, now and whenever they change. */
export function applyFormats(): void {
  const apply = ({ numbers, timeZone }: Settings) => {
    setNumberLocale(numbers === 'system' ? undefined : numbers)
    setTimeZone(timeZone)
  }
  apply(useSettings.getState())
  useSettings.subscribe(apply)
}
