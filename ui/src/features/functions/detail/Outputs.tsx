import { useState } from 'react'
import { formatTime } from '@/shared/lib/time'
import { JourneyLink } from '@/shared/ops/JourneyLink'
import { Payload } from '@/shared/ops/pieces'
import { Table, tableClasses } from '@/shared/ops/Table'
import { useOutputs } from '../data'
import classes from '../FunctionsScreen.module.css'

/** What it published last about each key, the newest first. */
export function Outputs({ name }: { name: string }) {
  const outputs = useOutputs(name, true)
  const [open, setOpen] = useState<string | null>(null)
  const results = (outputs.data ?? []).slice(0, 12)
  const shown = results.find(({ subject }) => subject === open)
  return (
    <div className={classes.section}>
      <h3>Last outputs</h3>
      {outputs.error && <p className={classes.fault}>{outputs.error.message}</p>}
      {outputs.isPending && <p className={classes.muted}>Loading…</p>}
      {outputs.data?.length === 0 && (
        <p className={classes.muted}>
          It has published nothing yet: nothing of its input has led to a result.
        </p>
      )}
      {results.length > 0 && (
        <div className={classes.bleed}>
          <Table label={`Outputs of ${name}`} heads={['Key', 'Time', 'Kind', 'Cause']}>
            {results.map(({ subject, key, at, kind, cause }) => (
              <tr key={subject} data-selected={subject === open || undefined}>
                <th scope="row">
                  <button
                    type="button"
                    className={tableClasses.open}
                    data-open
                    aria-expanded={subject === open}
                    onClick={() => setOpen(subject === open ? null : subject)}
                  >
                    {key}
                  </button>
                </th>
                <td>{formatTime(at)}</td>
                <td>{kind}</td>
                <td>{cause && <JourneyLink position={cause} />}</td>
              </tr>
            ))}
          </Table>
        </div>
      )}
      {shown && <Payload label={shown.subject} value={shown.data} />}
    </div>
  )
}
