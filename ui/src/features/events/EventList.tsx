import { Button, Select } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { formatDateTime, formatTime } from '@/shared/lib/time'
import { useAddress } from '@/shared/ops/address'
import { JourneyLink } from '@/shared/ops/JourneyLink'
import { Payload } from '@/shared/ops/pieces'
import { More, Table, tableClasses } from '@/shared/ops/Table'
import { Empty, Failed, Loading, Panel } from '@/shared/panel/Panel'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import { type StreamEvent, useEvents } from './data'
import classes from './events.module.css'
import { useHold, useKnown } from './hold'

const shownAtMost = 300

const group = 'Events'

/** The events themselves, as they were sent, masked. */
export function EventList() {
  const [{ topic, type }, change] = useAddress()
  const list = useEvents({ topic, type })
  const [open, setOpen] = useState<number | null>(null)
  const hold = useHold(list.events)
  const loaded = list.data?.pages.length ?? 0
  const events = hold.events.slice(0, Math.max(shownAtMost, loaded * 100))
  const known = useKnown(list.events, { topic, type })
  useShortcuts([{ keys: 'p', label: 'Hold the list of events, or let it run', group, run: hold.toggle }])
  const { Icon, word } = hold.held
    ? { Icon: IconPlayerPlay, word: `Resume${hold.more > 0 ? ` (${formatCount(hold.more)} new)` : ''}` }
    : { Icon: IconPlayerPause, word: 'Pause' }
  return (
    <Panel
      title="Events"
      className={classes.list ?? ''}
      actions={
        <>
          <Select
            size="xs"
            w={130}
            aria-label="Topic"
            placeholder="Any topic"
            clearable
            data={known.topics}
            value={topic ?? null}
            onChange={(value) => change({ topic: value ?? undefined })}
          />
          <Select
            size="xs"
            w={150}
            aria-label="Type"
            placeholder="Any type"
            clearable
            data={known.types}
            value={type ?? null}
            onChange={(value) => change({ type: value ?? undefined })}
          />
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<Icon size={13} aria-hidden />}
            onClick={hold.toggle}
          >
            {word}
          </Button>
        </>
      }
    >
      {list.isPending && events.length === 0 && <Loading what="events" />}
      {list.error && events.length === 0 && (
        <Failed what="Events" error={list.error} retry={() => void list.refetch()} />
      )}
      {list.data && events.length === 0 && (
        <Empty title={topic || type ? 'No event passes the filter' : 'No event yet'}>
          {topic || type
            ? 'Take the filter away to see others.'
            : 'What is sent to the topics events and user-events comes here; streamflow simulate events sends some.'}
        </Empty>
      )}
      {events.length > 0 && (
        <Table label="Events" heads={['Time', 'Topic', 'Type', 'Event', 'Place']}>
          {events.map((event) => (
            <EventRow
              key={event.sequence}
              event={event}
              open={open === event.sequence}
              toggle={() => {
                setOpen(open === event.sequence ? null : event.sequence)
                // What is being read must not run away.
                if (open !== event.sequence) hold.hold()
              }}
            />
          ))}
        </Table>
      )}
      <More pages={list} />
    </Panel>
  )
}

function EventRow({ event, open, toggle }: { event: StreamEvent; open: boolean; toggle: () => void }) {
  return (
    <>
      <tr data-selected={open || undefined}>
        <td title={formatDateTime(event.at)}>{formatTime(event.at)}</td>
        <td>{event.topic}</td>
        <th scope="row">{event.type}</th>
        <td className={classes.brief}>
          <button type="button" className={tableClasses.open} aria-expanded={open} onClick={toggle}>
            {brief(event.data)}
          </button>
        </td>
        <td>
          <JourneyLink position={event.position} />
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={5} style={{ whiteSpace: 'normal' }}>
            <Payload label={event.subject} value={event.data} />
          </td>
        </tr>
      )}
    </>
  )
}

/** What tells events apart, in few words. */
export function brief(data: unknown): string {
  if (typeof data !== 'object' || data === null) return JSON.stringify(data) ?? ''
  const { user_id, product_id, price, currency, ip } = data as Record<string, unknown>
  const words = [
    user_id,
    product_id,
    price !== undefined ? `${price} ${currency ?? ''}`.trim() : undefined,
    ip,
  ]
  return words.filter((word) => word !== undefined).join(' · ') || JSON.stringify(data).slice(0, 80)
}
