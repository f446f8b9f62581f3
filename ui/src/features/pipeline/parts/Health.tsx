import { formatTime } from '@/shared/lib/time'
import { formatMs } from '@/shared/ops/numbers'
import { State } from '@/shared/ops/pieces'
import type { PipelineReading } from '../data'
import classes from './parts.module.css'

/** Each server as it was tried, and what could not be measured. */
export function Health({ reading: { health, healthAt, faults } }: { reading: PipelineReading }) {
  return (
    <div className={classes.health}>
      {health.length === 0 && <p className={classes.muted}>No server has been tried yet.</p>}
      {health.map(({ name, ok, latencyMs, detail, error }) => (
        <div key={name} className={classes.server}>
          <State tone={ok ? 'good' : 'bad'}>{name}</State>
          <span>{formatMs(latencyMs)}</span>
          <span className={ok ? classes.muted : classes.bad}>{error ?? detail}</span>
        </div>
      ))}
      {faults.map(({ part, error }) => (
        <p key={`${part} ${error}`} className={classes.bad} role="alert">
          {part}: {error}
        </p>
      ))}
      {healthAt && <p className={classes.muted}>Tried at {formatTime(healthAt)}</p>}
    </div>
  )
}
