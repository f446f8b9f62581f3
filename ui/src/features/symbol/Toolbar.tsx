import { ActionIcon, SegmentedControl, Select } from '@mantine/core'
import { IconChartCandle, IconPlayerPause, IconPlayerPlay, IconRefresh, IconTable } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useFeed } from '@/features/market'
import type { PriceChart } from './chart/priceChart'
import { exportPicture, exportUrl } from './export'
import { AlertMenu } from './menus/AlertMenu'
import { CompareMenu } from './menus/CompareMenu'
import { ExportMenu } from './menus/ExportMenu'
import { IndicatorMenu } from './menus/IndicatorMenu'
import type { usePriceRules } from './rules/usePriceRules'
import classes from './SymbolScreen.module.css'
import { type ChartStyle, type Interval, intervals, styles } from './search'
import type { SymbolAddress } from './useSymbolAddress'

interface ToolbarProps {
  address: SymbolAddress
  chart: PriceChart | null
  rules: ReturnType<typeof usePriceRules>
  paused: boolean
  tabular: boolean
  pause: () => void
  reset: () => void
  table: () => void
}

/** What can be done with the chart. */
export function Toolbar({ address, chart, rules, paused, tabular, pause, reset, table }: ToolbarProps) {
  const { store } = useFeed()
  const { symbol, interval, style, specs, compared, change } = address
  return (
    <div className={classes.toolbar} role="toolbar" aria-label="Chart">
      <SegmentedControl
        size="xs"
        aria-label="Interval"
        data={[...intervals]}
        value={interval}
        onChange={(value) => change({ interval: value as Interval, range: undefined })}
      />
      <Select
        size="xs"
        w={96}
        aria-label="Chart style"
        data={styles.map((value) => ({ value, label: value[0]?.toUpperCase() + value.slice(1) }))}
        value={style}
        allowDeselect={false}
        onChange={(value) => change({ style: (value ?? 'candles') as ChartStyle })}
      />
      <IndicatorMenu specs={specs} add={(spec) => address.setSpecs([...specs, spec])} />
      <CompareMenu symbol={symbol} compared={compared} change={address.setCompared} />
      <AlertMenu rules={rules} price={() => store.get(symbol)?.price ?? null} />
      <div className={classes.right}>
        <Tool label={paused ? 'Resume' : 'Pause'} keys="Space" onClick={pause}>
          {paused ? <IconPlayerPlay size={15} aria-hidden /> : <IconPlayerPause size={15} aria-hidden />}
        </Tool>
        <Tool label="Reset the chart" keys="Home" onClick={reset}>
          <IconRefresh size={15} aria-hidden />
        </Tool>
        <Tool label={tabular ? 'Show the chart' : 'Show as a table'} keys="Shift+T" onClick={table}>
          {tabular ? <IconChartCandle size={15} aria-hidden /> : <IconTable size={15} aria-hidden />}
        </Tool>
        <ExportMenu
          picture={() => chart && exportPicture(chart, symbol, interval)}
          data={(format) => exportUrl(symbol, interval, format, chart?.inSight() ?? null)}
        />
      </div>
    </div>
  )
}

interface ToolProps {
  label: string
  keys: string
  onClick: () => void
  children: ReactNode
}

function Tool({ label, keys, onClick, children }: ToolProps) {
  return (
    <ActionIcon variant="default" size={26} aria-label={label} title={`${label} (${keys})`} onClick={onClick}>
      {children}
    </ActionIcon>
  )
}
