import { Fragment } from 'react'
import { formatAge, formatCount } from '@/shared/lib/format'
import { formatBytes, formatRate, since } from '@/shared/ops/numbers'
import { type Head, Table, tableClasses } from '@/shared/ops/Table'
import { Empty } from '@/shared/panel/Panel'
import type { PipelineReading } from '../data'

const heads: Head[] = [
  { label: 'Stream or consumer' },
  { label: 'Messages', number: true, title: 'With the cursors and checkpoints among them' },
  { label: 'Size', number: true },
  { label: 'Stored', number: true },
  { label: 'Newest', number: true, title: 'How long ago the newest message was stored' },
  { label: 'Pending', number: true, title: 'Not delivered yet' },
  { label: 'Unacknowledged', number: true, title: 'Delivered, and not acknowledged' },
  {
    label: 'Up to',
    number: true,
    title: 'The newest sequence; of a consumer, up to which all is acknowledged',
  },
]

/** JetStream's streams, each with its durable consumers. */
export function Streams({ reading: { streams, at } }: { reading: PipelineReading }) {
  if (!streams) return <Empty title="NATS does not answer">The health above says what was tried.</Empty>
  const now = Date.parse(at)
  return (
    <Table label="JetStream streams" heads={heads}>
      {streams.map((stream) => (
        <Fragment key={stream.name}>
          <tr>
            <th scope="row">{stream.name}</th>
            <td data-number>{formatCount(stream.messages)}</td>
            <td data-number>{formatBytes(stream.bytes)}</td>
            <td data-number>{formatRate(stream.perSecond)}</td>
            <td data-number>{formatAge(since(stream.lastAt, now))}</td>
            <td />
            <td />
            <td data-number className={tableClasses.dim}>
              {stream.lastSeq}
            </td>
          </tr>
          {stream.consumers.map(({ name, pending, ackPending, ackFloor }) => (
            <tr key={name} className={tableClasses.dim}>
              <td style={{ paddingLeft: 24 }}>{name}</td>
              <td colSpan={4} />
              <td data-number>{formatCount(pending)}</td>
              <td data-number>{formatCount(ackPending)}</td>
              <td data-number>{ackFloor}</td>
            </tr>
          ))}
        </Fragment>
      ))}
    </Table>
  )
}
