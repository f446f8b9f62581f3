import { useRef } from 'react'
import { formatAge, formatCount } from '@/shared/lib/format'
import { formatKnown, formatMicros, formatRate } from '@/shared/ops/numbers'
import { State } from '@/shared/ops/pieces'
import { useRowKeys } from '@/shared/ops/rowKeys'
import { type Head, Table, tableClasses } from '@/shared/ops/Table'
import { Trend } from '@/shared/ops/Trend'
import { type FunctionsReading, type FunctionView, span } from './data'
import { ownersOf, standingOf } from './standing'

const heads: Head[] = [
  { label: 'Function' },
  { label: 'State' },
  { label: 'Rate', number: true, title: 'Messages a second over the last 10 s' },
  { label: 'Last 5 min', title: 'Rate, from zero on; a peak far above the last minute is cut off' },
  { label: 'Lag', number: true, title: 'Messages of its input that wait' },
  { label: 'p50', number: true, title: 'How long a message takes, in the middle' },
  { label: 'p99', number: true, title: 'Within which 99 of 100 messages are done' },
  { label: 'Errors', number: true },
  { label: 'Dead', number: true, title: 'Messages that it could not step' },
  { label: 'Shards', number: true },
  { label: 'Owner' },
  { label: 'Snapshot', number: true, title: 'Age of the oldest shard’s snapshot' },
  { label: 'Way' },
]

interface FunctionTableProps {
  reading: FunctionsReading
  shown: readonly FunctionView[]
  selected: string | undefined
  select: (name: string) => void
}

export function FunctionTable({ reading, shown, selected, select }: FunctionTableProps) {
  const body = useRef<HTMLDivElement>(null)
  useRowKeys(body)
  return (
    <div ref={body} style={{ display: 'contents' }}>
      <Table label="Functions" heads={heads}>
        {shown.map((view) => (
          <Row
            key={view.name}
            view={view}
            rates={reading.history.get(view.name)?.rate ?? []}
            selected={view.name === selected}
            select={select}
          />
        ))}
      </Table>
    </div>
  )
}

interface RowProps {
  view: FunctionView
  rates: readonly { at: number; value: number }[]
  selected: boolean
  select: (name: string) => void
}

function Row({ view, rates, selected, select }: RowProps) {
  const { tone, word, detail } = standingOf(view)
  return (
    <tr data-selected={selected || undefined} data-function={view.name}>
      <th scope="row">
        <button
          type="button"
          className={tableClasses.open}
          data-open
          aria-pressed={selected}
          title={view.does}
          onClick={() => select(view.name)}
        >
          {view.name}
        </button>
      </th>
      <td title={detail}>
        <State tone={tone}>{word}</State>
      </td>
      <td data-number>{formatRate(view.rate)}</td>
      <td>
        <Trend samples={rates} span={span} cut label={`Rate of ${view.name}, last 5 minutes`} />
      </td>
      <td data-number>{formatKnown(view.lag)}</td>
      <td data-number>{formatMicros(view.stepP50Us)}</td>
      <td data-number>{formatMicros(view.stepP99Us)}</td>
      <td data-number>{formatCount(view.errors)}</td>
      <td data-number>{formatCount(view.deadLetters)}</td>
      <td data-number>{view.desired.shards}</td>
      <td>{ownersOf(view)}</td>
      <td data-number>
        {formatAge(view.checkpointAgeSeconds === null ? null : view.checkpointAgeSeconds * 1000)}
      </td>
      <td className={tableClasses.dim}>
        {view.reads} → {view.writes}
      </td>
    </tr>
  )
}
