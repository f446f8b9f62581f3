import { formatMs } from '@/shared/ops/numbers'
import classes from '../inspector.module.css'
import { barsOf, type JourneyHop } from './data'

/** What each name of a hop means. */
const meaning: Record<string, string> = {
  kafka: 'produced',
  bridge: 'read by the bridge',
  stream: 'committed to the stream',
  archive: 'stored in the database',
}

function meaningOf(name: string): string {
  const known = meaning[name]
  if (known) return known
  return name.endsWith('.published') ? 'its stream took the result' : 'stepped by the function'
}

/** The hops as a waterfall: what runs at the same time stands above each other. It is a table to who hears it. */
export function Waterfall({ hops }: { hops: readonly JourneyHop[] }) {
  const bars = barsOf(hops)
  const total = Math.max(0.001, ...bars.map(({ end }) => end))
  const percent = (ms: number) => `${(ms / total) * 100}%`
  return (
    <table className={classes.waterfall} aria-label="Waterfall of the hops">
      <thead>
        <tr>
          <th scope="col">Hop</th>
          <th scope="col">From 0 to {formatMs(total)}</th>
          <th scope="col">Took</th>
          <th scope="col">Total</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ name, since, start, end }, at) => (
          <tr key={name} title={`${meaningOf(name)}${since ? `, since ${since}` : ''}`}>
            <th scope="row">
              {name}
              {since && <span className={classes.since}> after {since}</span>}
            </th>
            <td>
              <span
                className={classes.barOfHop}
                data-own={name.endsWith('.published') ? 'published' : undefined}
                style={{ marginLeft: percent(start), width: percent(end - start) }}
              />
            </td>
            <td>{at === 0 ? '' : formatMs(end - start)}</td>
            <td>{formatMs(end)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
