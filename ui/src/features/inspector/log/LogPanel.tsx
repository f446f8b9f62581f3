import { Button, Chip, Group, TextInput } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay, IconTrash } from '@tabler/icons-react'
import { useEffect, useMemo, useReducer, useRef, useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { Empty, Panel } from '@/shared/panel/Panel'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import { useStream, useStreamStatus, useSubject } from '@/shared/stream'
import classes from '../inspector.module.css'
import { LogRows } from './LogRows'
import { type Entry, type Kind, kinds, LogStore } from './logStore'

const group = 'Inspector'
/** how often the list is written anew: what changes oftener cannot be read */
const everyMs = 250

interface LogPanelProps {
  selected: Entry | null
  select: (entry: Entry | null) => void
}

/** Every message, as it comes. */
export function LogPanel({ selected, select }: LogPanelProps) {
  const [store] = useState(() => new LogStore())
  const [version, redraw] = useReducer(() => store.version, 0)
  useEffect(() => {
    const timer = setInterval(redraw, everyMs)
    return () => clearInterval(timer)
  }, [])
  const [wanted, setWanted] = useState<Kind[]>([...kinds])
  const [symbol, setSymbol] = useState('')
  const [text, setText] = useState('')
  const [views, setViews] = useState(false)
  const search = useRef<HTMLInputElement>(null)
  const entries = useMemo(() => {
    void version
    return store.select({ symbol, text, views }, new Set(wanted))
  }, [store, version, symbol, text, views, wanted])
  const pause = () => {
    store.pause(!store.paused)
    redraw()
  }
  const clear = () => {
    store.clear()
    select(null)
    redraw()
  }
  const move = (step: number) => {
    const at = entries.findIndex(({ number }) => number === selected?.number)
    const next = entries[at < 0 ? 0 : Math.min(entries.length - 1, Math.max(0, at + step))]
    if (next) select(next)
  }
  useShortcuts([
    { keys: 'p', label: 'Pause the log, or let it run', group, run: pause },
    { keys: 'c', label: 'Clear the log', group, run: clear },
    { keys: '/', label: 'Look for a text', group, run: () => search.current?.focus() },
    { keys: 'ArrowDown', label: 'Next message', group, run: () => move(1) },
    { keys: 'ArrowUp', label: 'Message before', group, run: () => move(-1) },
    { keys: 'v', label: 'With or without results that still grow', group, run: () => setViews(!views) },
  ])
  return (
    <Panel
      title="Log"
      className={classes.log ?? ''}
      actions={
        <Group gap={6}>
          <TextInput
            size="xs"
            className={classes.search ?? ''}
            aria-label="Symbol or key"
            placeholder="Symbol or key"
            value={symbol}
            onChange={(event) => setSymbol(event.currentTarget.value)}
          />
          <TextInput
            ref={search}
            size="xs"
            className={classes.search ?? ''}
            type="search"
            aria-label="Text in the payload"
            placeholder="Text ( / )"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <span className={classes.count}>
            {formatCount(entries.length)} shown
            {store.paused && `, ${formatCount(store.missed)} passed by`}
          </span>
          <Button
            size="compact-xs"
            variant={store.paused ? 'filled' : 'default'}
            leftSection={
              store.paused ? (
                <IconPlayerPlay size={13} aria-hidden />
              ) : (
                <IconPlayerPause size={13} aria-hidden />
              )
            }
            onClick={pause}
          >
            {store.paused ? 'Resume' : 'Pause'}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconTrash size={13} aria-hidden />}
            onClick={clear}
          >
            Clear
          </Button>
        </Group>
      }
    >
      {kinds.map((kind) => wanted.includes(kind) && <Source key={kind} kind={kind} store={store} />)}
      <div className={classes.bar}>
        <Chip.Group multiple value={wanted} onChange={(next) => setWanted(next as Kind[])}>
          {kinds.map((kind) => (
            <Chip key={kind} size="xs" value={kind} variant="outline">
              {kind}
            </Chip>
          ))}
        </Chip.Group>
        <Chip size="xs" checked={views} onChange={setViews} variant="outline" color="gray">
          growing
        </Chip>
      </div>
      {entries.length === 0 ? (
        <NoEntries
          filtered={Boolean(symbol || text) || wanted.length < kinds.length}
          paused={store.paused && store.size === 0}
        />
      ) : (
        <LogRows entries={entries} selected={selected} select={select} />
      )}
    </Panel>
  )
}

/** Follows one kind: what nobody wants to see is not sent. */
function Source({ kind, store }: { kind: Kind; store: LogStore }) {
  const hub = useStream()
  useSubject(`${kind}.>`, (messages) => store.add(messages, hub.clock.now()))
  return null
}

function NoEntries({ filtered, paused }: { filtered: boolean; paused: boolean }) {
  const { phase } = useStreamStatus()
  if (phase !== 'live') {
    return <Empty title="No connection">Messages come as soon as it is there: see the header.</Empty>
  }
  if (paused) return <Empty title="Paused">Press p to let the log run.</Empty>
  return (
    <Empty title={filtered ? 'Nothing passes the filter' : 'Nothing came yet'}>
      {filtered ? 'Choose more kinds, or take the text away.' : 'The next message of any kind stands here.'}
    </Empty>
  )
}
