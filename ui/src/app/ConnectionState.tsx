import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react'
import { type Phase, useStream, useStreamStatus } from '@/shared/stream'
import classes from './Header.module.css'

const words: Record<Phase, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  paused: 'Paused',
}

/** A dot for a glance, a word for who does not see its colour, and a button that connects or disconnects. */
export function ConnectionState() {
  const hub = useStream()
  const { phase } = useStreamStatus()
  const away = phase === 'offline' || phase === 'reconnecting'
  const action = phase === 'paused' ? 'Connect' : away ? 'Connect now' : 'Disconnect'
  const Icon = phase === 'live' || phase === 'connecting' ? IconPlugConnectedX : IconPlugConnected
  return (
    <div className={classes.state} data-phase={phase}>
      <span className={classes.dot} aria-hidden="true" />
      <span role="status" aria-label="Connection" className={classes.word}>
        {words[phase]}
      </span>
      <button
        type="button"
        className={classes.plug}
        title={`${action} (Shift+C)`}
        aria-label={action}
        onClick={away ? hub.retry : hub.toggle}
      >
        <Icon size={14} aria-hidden />
      </button>
    </div>
  )
}
