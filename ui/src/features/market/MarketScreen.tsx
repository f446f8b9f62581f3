import { SegmentedControl, Select, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type KeyboardEvent, useRef, useState } from 'react'
import { type Shortcut, useShortcuts } from '@/shared/shortcuts/shortcuts'
import classes from './MarketScreen.module.css'
import { EmptyState, ErrorState, LoadingState } from './MarketStates'
import { Notices } from './Notices'
import { useBaseline, useSymbols } from './stream/FeedContext'
import { MarketCards } from './table/MarketCards'
import { MarketTable } from './table/MarketTable'
import { type Grouping, useTablePreferences, type View } from './table/preferences'

const keys = 'Market'

/** The market on one screen: what is wrong if something is, a filter, and the prices. */
export function MarketScreen() {
  const baseline = useBaseline()
  const symbols = useSymbols()
  const { view, show, grouping, group } = useTablePreferences()
  const [filter, setFilter] = useState('')
  const search = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const toList = () => list.current?.querySelector<HTMLElement>('[data-row-link][tabindex="0"]')?.focus()
  const shortcuts: Shortcut[] = [
    { keys: '/', label: 'Filter symbols', group: keys, run: () => search.current?.focus() },
    { keys: 'ArrowDown', label: 'Go from symbol to symbol; Enter opens, p pins', group: keys, run: toList },
    {
      keys: 'v',
      label: 'Table or cards',
      group: keys,
      run: () => show(view === 'table' ? 'cards' : 'table'),
    },
  ]
  useShortcuts(shortcuts)

  if (symbols.length === 0) {
    const { error, data, refetch } = baseline
    return (
      <>
        <h1 className={classes.title}>Market</h1>
        {error && <ErrorState error={error} retry={() => void refetch()} />}
        {/* The store shows what was loaded at the next frame: until then, some are still to come. */}
        {!error && (data === 0 ? <EmptyState /> : <LoadingState />)}
      </>
    )
  }
  const searchKeys = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setFilter('')
    if (event.key === 'ArrowDown' || event.key === 'Enter') toList()
  }
  return (
    <div className={classes.screen} ref={list}>
      <h1 className={classes.title}>Market</h1>
      <Notices baselineError={baseline.error} />
      <div className={classes.bar}>
        <TextInput
          ref={search}
          type="search"
          aria-label="Filter symbols"
          placeholder="Filter ( / )"
          size="xs"
          className={classes.search}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={searchKeys}
        />
        <span className={classes.count}>{symbols.length} symbols</span>
        <Select
          aria-label="Group by"
          size="xs"
          w={132}
          allowDeselect={false}
          data={[
            { value: 'none', label: 'Not grouped' },
            { value: 'direction', label: 'By direction' },
            { value: 'letter', label: 'By letter' },
          ]}
          value={grouping}
          onChange={(value) => value && group(value as Grouping)}
        />
        <SegmentedControl
          aria-label="View"
          size="xs"
          data={[
            { value: 'table', label: 'Table' },
            { value: 'cards', label: 'Cards' },
          ]}
          value={view}
          onChange={(value) => show(value as View)}
        />
      </div>
      {view === 'table' ? <MarketTable filter={filter} /> : <MarketCards filter={filter} />}
    </div>
  )
}
