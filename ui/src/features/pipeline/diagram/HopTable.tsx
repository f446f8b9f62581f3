import { formatKnown, formatMs, formatRate } from '@/shared/ops/numbers'
import { type Head, Table, tableClasses } from '@/shared/ops/Table'
import type { PipelineReading } from '../data'

const heads: Head[] = [
  { label: 'Part' },
  { label: 'After' },
  { label: 'Rate', number: true },
  { label: 'Lag', number: true, title: 'Messages that wait before it' },
  { label: 'p50', number: true, title: 'Since the part before, in the middle of those of the last 10 s' },
  { label: 'p99', number: true },
  { label: 'Total p50', number: true, title: 'Since the tick was produced' },
  { label: 'Total p99', number: true },
  { label: 'Samples', number: true },
  { label: 'Reads' },
  { label: 'Writes' },
]

/** The diagram as a table: every part with all of its figures, also those that are not measured. */
export function HopTable({ reading: { stages, hops } }: { reading: PipelineReading }) {
  const measured = new Set(hops.map(({ name }) => name))
  const names = [
    ...hops.map(({ name }) => name),
    ...stages.flatMap(({ name }) => (measured.has(name) ? [] : name)),
  ]
  const words = (places: readonly string[] | undefined) =>
    places?.map((place) => place.replace(':', ' ')).join(', ')
  return (
    <Table label="Parts of the system" heads={heads}>
      {names.map((name) => {
        const hop = hops.find((one) => one.name === name)
        const stage = stages.find((one) => one.name === name)
        return (
          <tr key={name}>
            <th scope="row" title={stage?.does}>
              {name}
            </th>
            <td className={tableClasses.dim}>{hop?.from}</td>
            <td data-number>{formatRate(hop?.rate)}</td>
            <td data-number>{formatKnown(hop?.lag)}</td>
            <td data-number>{formatMs(hop?.p50Ms)}</td>
            <td data-number>{formatMs(hop?.p99Ms)}</td>
            <td data-number>{formatMs(hop?.totalP50Ms)}</td>
            <td data-number>{formatMs(hop?.totalP99Ms)}</td>
            <td data-number>{formatKnown(hop?.samples)}</td>
            <td className={tableClasses.dim}>{words(stage?.reads)}</td>
            <td className={tableClasses.dim}>{words(stage?.writes)}</td>
          </tr>
        )
      })}
    </Table>
  )
}
