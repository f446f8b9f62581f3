import { formatAge, formatCount } from '@/shared/lib/format'
import { formatMicros, formatRate, since } from '@/shared/ops/numbers'
import { type Head, Table, tableClasses } from '@/shared/ops/Table'
import type { FunctionView } from '../data'
import classes from '../FunctionsScreen.module.css'

const heads: Head[] = [
  { label: 'Shard' },
  { label: 'Owner' },
  { label: 'Rate', number: true },
  { label: 'Lag', number: true },
  { label: 'p99', number: true },
  { label: 'Keys', number: true, title: 'Keys of its state, such as symbols' },
  { label: 'Facts', number: true, title: 'Results published' },
  { label: 'Snapshot', number: true },
  { label: 'Input', number: true, title: 'How old the newest message is that it has taken' },
  { label: 'Errors', number: true },
]

/** Who works on which share, and the workers that know the function. */
export function Shards({ view, at }: { view: FunctionView; at: number }) {
  const errors = view.shards.filter(({ lastError }) => lastError)
  return (
    <div className={classes.section}>
      <h3>Shards</h3>
      {view.shards.length === 0 ? (
        <p className={classes.muted}>No worker has said anything of a shard within the last seconds.</p>
      ) : (
        <div className={classes.bleed}>
          <Table label={`Shards of ${view.name}`} heads={heads}>
            {view.shards.map((shard) => (
              <tr key={shard.shard}>
                <th scope="row">{shard.shard}</th>
                <td>{shard.worker ?? (shard.asleep ? 'asleep' : 'nobody')}</td>
                <td data-number>{formatRate(shard.rate)}</td>
                <td data-number>{formatCount(shard.lag)}</td>
                <td data-number>{formatMicros(shard.stepP99Us)}</td>
                <td data-number>{formatCount(shard.keys)}</td>
                <td data-number>{formatCount(shard.facts)}</td>
                <td data-number>{formatAge(since(shard.checkpoint, at))}</td>
                <td data-number>{formatAge(since(shard.newestInput, at))}</td>
                <td data-number>{formatCount(shard.errors)}</td>
              </tr>
            ))}
          </Table>
        </div>
      )}
      {errors.map(({ shard, lastError }) => (
        <p key={shard} className={classes.fault}>
          Shard {shard}: {lastError}
        </p>
      ))}
      <p className={classes.muted}>
        {view.workers.length === 0 && 'No worker knows it.'}
        {view.workers.map(({ id, phase, fault }, at) => (
          <span key={id}>
            {at > 0 && ', '}
            worker <span className={tableClasses.mono}>{id}</span> {phase}
            {fault && `: ${fault}`}
          </span>
        ))}
      </p>
    </div>
  )
}
