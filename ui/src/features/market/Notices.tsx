import { Button, Code } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatAge } from '@/shared/lib/format'
import classes from './MarketScreen.module.css'
import { useFeed, useFeedStatus } from './stream/FeedContext'

const silentAfter = 10_000

interface NoticesProps {
  baselineError: Error | null
}

/** What a reader of the prices has to know: that they are old, or that part of them is missing. */
export function Notices({ baselineError }: NoticesProps) {
  const feed = useFeed()
  const { phase, silent, problem } = useFeedStatus()
  const away = phase === 'reconnecting' || phase === 'offline'
  return (
    <>
      {away && (
        <Notice>
          <p>
            {phase === 'offline' ? 'The server cannot be reached' : 'The connection was lost'}: these are the
            last known prices. The page connects again by itself.
          </p>
          <Button size="compact-xs" variant="default" onClick={feed.retry}>
            Connect now
          </Button>
        </Notice>
      )}
      {phase === 'live' && silent >= silentAfter && (
        <Notice>
          <p>
            No tick came for {formatAge(silent)}. Is a producer running? <Code>streamflow simulate</Code>{' '}
            starts one.
          </p>
        </Notice>
      )}
      {problem && (
        <Notice>
          <p>{problem}</p>
        </Notice>
      )}
      {baselineError && !away && (
        <Notice>
          <p>{baselineError.message} Change and volume may lack trades; the page tries again by itself.</p>
        </Notice>
      )}
    </>
  )
}

function Notice({ children }: { children: ReactNode }) {
  return (
    <div role="status" className={classes.notice}>
      {children}
    </div>
  )
}
