import { TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import classes from './MarketScreen.module.css'
import { EmptyState, ErrorState, LoadingState } from './MarketStates'
import { Notices } from './Notices'
import { useBaseline, useSymbols } from './stream/FeedContext'
import { MarketTable } from './table/MarketTable'

/** The market on one screen: what is wrong if something is, a filter, and the prices. */
export function MarketScreen() {
  const baseline = useBaseline()
  const symbols = useSymbols()
  const [filter, setFilter] = useState('')
  const search = useRef<HTMLInputElement>(null)
  useHotkeys([['/', () => search.current?.focus()]])

  if (symbols.length === 0) {
    if (baseline.isError) return <ErrorState error={baseline.error} retry={() => void baseline.refetch()} />
    // The store shows what was loaded at the next frame: until then, some are still to come.
    if (baseline.data !== 0) return <LoadingState />
    return <EmptyState />
  }
  return (
    <div className={classes.screen}>
      <Notices baselineError={baseline.error} />
      <TextInput
        ref={search}
        type="search"
        aria-label="Filter symbols"
        placeholder="Filter symbols ( / )"
        size="xs"
        className={classes.search}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && setFilter('')}
      />
      <MarketTable filter={filter} />
    </div>
  )
}
