import { Fragment, useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { formatKnown, formatRate } from '@/shared/ops/numbers'
import { type Head, Table, tableClasses } from '@/shared/ops/Table'
import { Empty } from '@/shared/panel/Panel'
import type { PipelineReading } from '../data'

const heads: Head[] = [
  { label: 'Topic' },
  { label: 'Partitions', number: true },
  { label: 'Records', number: true, title: 'Records that are kept, over all partitions' },
  { label: 'Written', number: true },
  { label: 'Group' },
  { label: 'State' },
  { label: 'Members', number: true },
  { label: 'Lag', number: true },
  { label: 'Read', number: true },
]

/** Topics with the groups that read them; a topic opens to its partitions. */
export function Kafka({ kafka }: { kafka: PipelineReading['kafka'] }) {
  const [open, setOpen] = useState<string | null>(null)
  if (!kafka) return <Empty title="Kafka does not answer">The health above says what was tried.</Empty>
  return (
    <Table label="Kafka topics" heads={heads}>
      {kafka.topics.map(({ name, partitions, perSecond, groups }) => {
        const [group] = groups
        const more = groups.slice(1)
        return (
          <Fragment key={name}>
            <tr data-selected={open === name || undefined}>
              <th scope="row">
                <button
                  type="button"
                  className={tableClasses.open}
                  aria-expanded={open === name}
                  onClick={() => setOpen(open === name ? null : name)}
                >
                  {name}
                </button>
              </th>
              <td data-number>{partitions.length}</td>
              <td data-number>
                {formatCount(partitions.reduce((sum, { start, end }) => sum + end - start, 0))}
              </td>
              <td data-number>{formatRate(perSecond)}</td>
              <GroupCells group={group} />
            </tr>
            {more.map((one) => (
              <tr key={one.name}>
                <td colSpan={4} />
                <GroupCells group={one} />
              </tr>
            ))}
            {open === name &&
              partitions.map(({ partition, start, end }) => (
                <tr key={partition} className={tableClasses.dim}>
                  <td>partition {partition}</td>
                  <td />
                  <td data-number>{formatCount(end - start)}</td>
                  <td colSpan={6}>
                    offsets {formatCount(start)} to {formatCount(end)}
                  </td>
                </tr>
              ))}
          </Fragment>
        )
      })}
    </Table>
  )
}

type Group = NonNullable<PipelineReading['kafka']>['topics'][number]['groups'][number]

function GroupCells({ group }: { group: Group | undefined }) {
  if (!group)
    return (
      <td colSpan={5} className={tableClasses.dim}>
        nobody reads it here
      </td>
    )
  return (
    <>
      <td>{group.name}</td>
      <td>{group.state}</td>
      <td data-number>{group.members}</td>
      <td data-number>{formatKnown(group.lag)}</td>
      <td data-number>{formatRate(group.perSecond)}</td>
    </>
  )
}
