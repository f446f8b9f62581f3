import { Button } from '@mantine/core'
import { Notice } from '@/shared/panel/Panel'
import { useStream, useStreamStatus } from '@/shared/stream'

interface ConnectionNoticeProps {
  /** what grows old meanwhile: "alerts" */
  what: string
  /** why the newest reading failed, while an older one is shown */
  error?: Error | null
}

/** Says that what is shown is old, why, and what to do. */
export function ConnectionNotice({ what, error = null }: ConnectionNoticeProps) {
  const hub = useStream()
  const { phase } = useStreamStatus()
  const away = phase === 'reconnecting' || phase === 'offline'
  if (!away && phase !== 'paused' && !error) return null
  return (
    <Notice tone={phase === 'paused' ? 'info' : 'warn'}>
      <p>
        {phase === 'paused' && `You have disconnected: new ${what} do not come in.`}
        {away && `The connection was lost: ${what} are as they were. The page connects again by itself.`}
        {phase !== 'paused' && !away && `${error?.message} ${capital(what)} are as they were.`}
      </p>
      {(away || phase === 'paused') && (
        <Button size="compact-xs" variant="default" onClick={hub.retry}>
          {away ? 'Connect now' : 'Connect'}
        </Button>
      )}
    </Notice>
  )
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
