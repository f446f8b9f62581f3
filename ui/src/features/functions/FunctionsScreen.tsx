import { TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { useAddress } from '@/shared/ops/address'
import { ConnectionNotice } from '@/shared/ops/ConnectionNotice'
import { formatRate } from '@/shared/ops/numbers'
import { Figures, ScreenTitle } from '@/shared/ops/pieces'
import { Empty, Failed, Loading, Panel } from '@/shared/panel/Panel'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import { type FunctionView, useFunctions } from './data'
import { FunctionDetail } from './detail/FunctionDetail'
import classes from './FunctionsScreen.module.css'
import { FunctionTable } from './FunctionTable'
import { standingOf } from './standing'

const group = 'Functions'

/** The console of what runs on the stream. */
export function FunctionsScreen() {
  const reading = useFunctions()
  const [{ name: selected }, change] = useAddress()
  const [filter, setFilter] = useState('')
  const search = useRef<HTMLInputElement>(null)
  const screen = useRef<HTMLDivElement>(null)
  const first = () => screen.current?.querySelector<HTMLElement>('button[data-open]')?.focus()
  useShortcuts([
    { keys: '/', label: 'Filter functions', group, run: () => search.current?.focus() },
    { keys: 'ArrowDown', label: 'Go from function to function; Enter opens', group, run: first },
    { keys: 'Escape', label: 'Close what is open', group, run: () => change({ name: undefined }) },
  ])
  if (!reading.data) {
    return (
      <>
        <ScreenTitle>Functions</ScreenTitle>
        {reading.error ? (
          <Failed what="The functions" error={reading.error} retry={() => void reading.refetch()} />
        ) : (
          <Loading what="functions" />
        )}
      </>
    )
  }
  const all = reading.data.functions
  const text = filter.toLowerCase()
  const shown = all.filter((view) => `${view.name} ${view.does} ${view.kind}`.toLowerCase().includes(text))
  const open = all.find(({ name }) => name === selected)
  return (
    <div className={classes.screen} ref={screen}>
      <ScreenTitle>Functions</ScreenTitle>
      <ConnectionNotice what="figures" error={reading.error} />
      <div className={classes.columns} data-open={open ? true : undefined}>
        <Panel
          title="Functions"
          className={classes.list ?? ''}
          actions={
            <TextInput
              ref={search}
              type="search"
              size="xs"
              aria-label="Filter functions"
              placeholder="Filter ( / )"
              leftSection={<IconSearch size={14} aria-hidden />}
              value={filter}
              onChange={(event) => setFilter(event.currentTarget.value)}
            />
          }
        >
          <Summary all={all} />
          {shown.length === 0 ? (
            <Empty title="No function">
              {all.length === 0 ? 'The registry is empty.' : `None is called “${filter}”.`}
            </Empty>
          ) : (
            <FunctionTable
              reading={reading.data}
              shown={shown}
              selected={selected}
              select={(name) => change({ name: name === selected ? undefined : name })}
            />
          )}
        </Panel>
        {open && (
          <FunctionDetail
            key={open.name}
            view={open}
            at={Date.parse(reading.data.at)}
            history={reading.data.history.get(open.name)}
            close={() => change({ name: undefined })}
          />
        )}
      </div>
    </div>
  )
}

function Summary({ all }: { all: readonly FunctionView[] }) {
  const tones = all.map((view) => standingOf(view).tone)
  const count = (tone: string) => tones.filter((one) => one === tone).length
  const sum = (of: (view: FunctionView) => number) => all.reduce((total, view) => total + of(view), 0)
  const bad = count('bad') + count('warn')
  const dead = sum(({ deadLetters }) => deadLetters)
  return (
    <div className={classes.summary}>
      <Figures
        figures={[
          { name: 'running', value: `${count('good')} of ${all.length}` },
          { name: 'need a look', value: bad, tone: bad > 0 ? 'warn' : undefined },
          { name: 'messages', value: formatRate(sum(({ rate }) => rate)) },
          { name: 'waiting', value: formatCount(sum(({ lag }) => lag ?? 0)) },
          { name: 'dead letters', value: formatCount(dead), tone: dead > 0 ? 'bad' : undefined },
        ]}
      />
    </div>
  )
}
