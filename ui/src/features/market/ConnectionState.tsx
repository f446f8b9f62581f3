import type { Phase } from '@/shared/stream/socket'
import classes from './ConnectionState.module.css'
import { useFeedStatus } from './stream/FeedContext'

const words: Record<Phase, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
}

/** A dot for a glance, and a word for who does not see its colour. */
export function ConnectionState() {
  const { phase } = useFeedStatus()
  return (
    <span className={classes.state} data-phase={phase}>
      <span className={classes.dot} aria-hidden="true" />
      <span role="status" aria-label="Connection">
        {words[phase]}
      </span>
    </span>
  )
}
