import { Button, SegmentedControl, Select, Switch, useMantineColorScheme } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatChange, formatPercent, formatPrice, formatVolume } from '@/shared/lib/format'
import { formatDateTime, type TimeZone } from '@/shared/lib/time'
import { Panel } from '@/shared/panel/Panel'
import {
  changeSettings,
  type Density,
  defaults,
  type NumberFormat,
  rates,
  useSettings,
} from '@/shared/settings/settings'
import classes from './SettingsScreen.module.css'

const numberNames: Record<NumberFormat, string> = {
  'en-US': '1,234.50 (English)',
  'de-DE': '1.234,50 (German)',
  'fr-FR': '1 234,50 (French)',
  'de-CH': '1’234.50 (Swiss)',
  'en-IN': '12,34,567.50 (Indian)',
  system: 'As the browser does',
}

const zoneNames: Record<TimeZone, string> = { utc: 'UTC', local: 'This computer' }

/** How the page looks and how much it asks for; all of it is kept in this browser. */
export function SettingsScreen() {
  const settings = useSettings()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const reset = () => {
    changeSettings(defaults)
    setColorScheme('auto')
  }
  return (
    <div className={classes.screen}>
      <h1 className={classes.title}>Settings</h1>
      <Panel title="Looks">
        <Row name="Theme" hint="Shift+D changes it">
          <SegmentedControl
            size="xs"
            aria-label="Theme"
            data={[
              { value: 'auto', label: 'System' },
              { value: 'light', label: 'Light' },
              { value: 'dark', label: 'Dark' },
            ]}
            value={colorScheme}
            onChange={(value) => setColorScheme(value as typeof colorScheme)}
          />
        </Row>
        <Row name="Density" hint="How high the rows of the watchlist are">
          <SegmentedControl
            size="xs"
            aria-label="Density"
            data={[
              { value: 'compact', label: 'Compact' },
              { value: 'normal', label: 'Normal' },
            ]}
            value={settings.density}
            onChange={(value) => changeSettings({ density: value as Density })}
          />
        </Row>
        <Row name="Numbers" hint={<Example />}>
          <Select
            size="xs"
            aria-label="Numbers"
            data={Object.entries(numberNames).map(([value, label]) => ({ value, label }))}
            value={settings.numbers}
            allowDeselect={false}
            onChange={(value) => changeSettings({ numbers: value as NumberFormat })}
          />
        </Row>
        <Row
          name="Time zone"
          hint={`Now: ${formatDateTime(Date.now())}. Days and their changes are in UTC always.`}
        >
          <SegmentedControl
            size="xs"
            aria-label="Time zone"
            data={Object.entries(zoneNames).map(([value, label]) => ({ value, label }))}
            value={settings.timeZone}
            onChange={(value) => changeSettings({ timeZone: value as TimeZone })}
          />
        </Row>
        <Row
          name="Flash"
          hint="Tints a price for a moment when it changes; never where the system asks for less motion"
        >
          <Switch
            aria-label="Flash"
            checked={settings.flash}
            onChange={(event) => changeSettings({ flash: event.currentTarget.checked })}
          />
        </Row>
      </Panel>
      <Panel title="Stream">
        <Row
          name="Ticks of a symbol"
          hint="How many a second the server sends at most: the newest is never lost, what it replaces is counted as conflated. Every tick is the high-rate mode (Shift+H)."
        >
          <SegmentedControl
            size="xs"
            aria-label="Ticks of a symbol"
            data={rates.map((rate) => ({
              value: String(rate),
              label: rate === null ? 'Every' : `${rate}/s`,
            }))}
            value={String(settings.maxRate)}
            onChange={(value) => changeSettings({ maxRate: value === 'null' ? null : Number(value) })}
          />
        </Row>
      </Panel>
      <Panel title="Keyboard and sound">
        <Row
          name="Single keys"
          hint="Shortcuts without Ctrl; turn them off if you use speech input. ? lists them."
        >
          <Switch
            aria-label="Single keys"
            checked={settings.shortcuts}
            onChange={(event) => changeSettings({ shortcuts: event.currentTarget.checked })}
          />
        </Row>
        <Row name="Sound" hint="A short tone when an alert is raised">
          <Switch
            aria-label="Sound"
            checked={settings.sound}
            onChange={(event) => changeSettings({ sound: event.currentTarget.checked })}
          />
        </Row>
      </Panel>
      <div className={classes.foot}>
        <Button size="xs" variant="default" onClick={reset}>
          Reset to defaults
        </Button>
        <a href="/docs">API docs</a>
        <a href="/metrics">Metrics</a>
      </div>
    </div>
  )
}

function Example() {
  return (
    <>
      {formatPrice(1234.5)} {formatChange(-1.25, 1234.5)} {formatPercent(0.66)} {formatVolume(1_250_000)}
    </>
  )
}

interface RowProps {
  name: string
  hint: ReactNode
  children: ReactNode
}

function Row({ name, hint, children }: RowProps) {
  return (
    <div className={classes.row}>
      <div className={classes.words}>
        <div className={classes.name}>{name}</div>
        <div className={classes.hint}>{hint}</div>
      </div>
      {children}
    </div>
  )
}
