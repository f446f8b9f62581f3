import { Button, Checkbox, Group, TextInput } from '@mantine/core'
import { useRef, useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { useAddress } from '@/shared/ops/address'
import { Outcome, type OutcomeText } from '@/shared/ops/Outcome'
import { rowsIn, useRowKeys } from '@/shared/ops/rowKeys'
import { type Head, More, Table } from '@/shared/ops/Table'
import { Empty, Failed, Loading, Panel } from '@/shared/panel/Panel'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import classes from '../alerts.module.css'
import { type Alert, type AlertFilter, useAcknowledge, useAlerts, useSigner } from '../data'
import { AlertRow } from './AlertRow'
import { Filters, readFilter } from './Filters'

const group = 'Alerts'

/** What the rules have raised, the newest first, live; and who has seen it. */
export function Fired({ className }: { className?: string | undefined }) {
  const [search, change] = useAddress()
  const filter: AlertFilter = readFilter(search)
  const list = useAlerts(filter)
  const acknowledge = useAcknowledge()
  const [signer, setSigner] = useSigner()
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<string | null>(null)
  const [outcome, setOutcome] = useState<OutcomeText | null>(null)
  const body = useRef<HTMLDivElement>(null)
  const fresh = list.alerts.filter(({ acknowledgedAt }) => acknowledgedAt === null)
  const selected = fresh.filter(({ id }) => picked.has(id))

  const seen = (alerts: readonly Alert[]) => {
    if (alerts.length === 0) return
    acknowledge.mutate(
      { ids: alerts.slice(0, 1000).map(({ id }) => id), by: signer.trim() || 'operator' },
      {
        onSuccess: ({ alerts: done, missing }) => {
          setPicked(new Set())
          setOutcome({
            tone: missing.length > 0 ? 'bad' : 'good',
            text:
              `${formatCount(done.length)} acknowledged.` +
              (missing.length > 0
                ? ` ${missing.length} are not stored yet: try again in a moment, or see that archive-alerts runs.`
                : ''),
          })
        },
        onError: (error) => setOutcome({ tone: 'bad', text: error.message }),
      },
    )
  }
  const pick = (id: string, on: boolean) =>
    setPicked((before) => {
      const next = new Set(before)
      if (on) next.add(id)
      else next.delete(id)
      return next
    })
  useRowKeys(body, (key, row) => {
    const alert = list.alerts[row]
    if (key !== 'x' || !alert) return false
    pick(alert.id, !picked.has(alert.id))
    return true
  })
  useShortcuts([
    {
      keys: 'ArrowDown',
      label: 'Go from alert to alert; Enter opens, x picks',
      group,
      run: () => rowsIn(body.current)[0]?.focus(),
    },
    {
      keys: 'a',
      label: 'Acknowledge what is picked, or the alert that has the focus',
      group,
      run: () => {
        const at = rowsIn(body.current).indexOf(document.activeElement as HTMLElement)
        const focused = list.alerts[at]
        seen(selected.length > 0 ? selected : focused && focused.acknowledgedAt === null ? [focused] : [])
      },
    },
  ])
  return (
    <Panel
      title="Fired"
      className={className ?? ''}
      actions={
        <Group gap={6}>
          <TextInput
            size="xs"
            w={96}
            leftSection={<span style={{ fontSize: 12 }}>as</span>}
            aria-label="Acknowledge as"
            value={signer}
            onChange={(event) => setSigner(event.currentTarget.value.slice(0, 60))}
          />
          <Button
            size="compact-xs"
            disabled={selected.length === 0}
            loading={acknowledge.isPending}
            onClick={() => seen(selected)}
          >
            Acknowledge {selected.length > 0 ? formatCount(selected.length) : ''}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            disabled={fresh.length === 0}
            title="All alerts of the list that nobody has seen yet"
            onClick={() => seen(fresh)}
          >
            Acknowledge all{fresh.length > 0 && ` ${formatCount(fresh.length)}`}
          </Button>
        </Group>
      }
    >
      <Filters filter={filter} change={change} />
      <Outcome outcome={outcome} close={() => setOutcome(null)} />
      {list.isPending && list.alerts.length === 0 && <Loading what="alerts" />}
      {list.error && list.alerts.length === 0 && (
        <Failed what="Alerts" error={list.error} retry={() => void list.refetch()} />
      )}
      {list.data && list.alerts.length === 0 && <NoAlerts filtered={Object.values(filter).some(Boolean)} />}
      {list.alerts.length > 0 && (
        <div ref={body} className={classes.listBody}>
          <Table
            label="Fired alerts"
            heads={heads(
              <Checkbox
                size="xs"
                aria-label="Pick all"
                checked={selected.length > 0 && selected.length === fresh.length}
                indeterminate={selected.length > 0 && selected.length < fresh.length}
                onChange={(event) =>
                  setPicked(event.currentTarget.checked ? new Set(fresh.map(({ id }) => id)) : new Set())
                }
              />,
            )}
          >
            {list.alerts.map((alert) => (
              <AlertRow
                key={alert.id}
                alert={alert}
                picked={picked.has(alert.id)}
                pick={pick}
                open={open === alert.id}
                toggle={() => setOpen(open === alert.id ? null : alert.id)}
              />
            ))}
          </Table>
          <More pages={list} />
        </div>
      )}
    </Panel>
  )
}

const heads = (all: Head['content']): Head[] => [
  { label: 'Pick', content: all },
  { label: 'Time' },
  { label: 'Severity' },
  { label: 'Symbol' },
  { label: 'What happened' },
  { label: 'Rule' },
  { label: 'Seen by' },
]

function NoAlerts({ filtered }: { filtered: boolean }) {
  return (
    <Empty title={filtered ? 'No alert passes the filter' : 'No alert yet'}>
      {filtered
        ? 'Take a filter away to see others.'
        : 'Make a rule, and look in its preview how often it would have fired: what it raises comes here by itself.'}
    </Empty>
  )
}
