import { Button, Code } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { formatAge, formatMillis } from '@/shared/lib/format'
import { Notice } from '@/shared/panel/Panel'
import { useStream, useStreamStatus } from '@/shared/stream'

const silentAfter = 10_000
/** ms from Kafka to here from which on prices are called late, and below which they are not any more */
const late = { from: 5000, below: 2000 }

interface NoticesProps {
  baselineError?: Error | null
}

/** Ends with a full stop, so that another sentence can follow. */
const sentence = (text: string) => (text.endsWith('.') ? text : `${text}.`)

/** Whether prices come late; a latency that goes up and down does not make it come and go. */
export function isLate(before: boolean, latency: number | null): boolean {
  return latency !== null && latency >= (before ? late.below : late.from)
}

/** What a reader of the prices has to know: that they are old, or that part of them is missing. */
export function Notices({ baselineError = null }: NoticesProps) {
  const hub = useStream()
  const { phase, silent, problem, latency } = useStreamStatus()
  const [wasLate, setLate] = useState(false)
  const comesLate = isLate(wasLate, latency?.p50 ?? null)
  if (comesLate !== wasLate) setLate(comesLate)
  const away = phase === 'reconnecting' || phase === 'offline'
  return (
    <>
      {away && (
        <Notice>
          <p>
            {phase === 'offline' ? 'The server cannot be reached' : 'The connection was lost'}: these are the
            last known prices. The page connects again by itself.
          </p>
          <Button size="compact-xs" variant="default" onClick={hub.retry}>
            Connect now
          </Button>
        </Notice>
      )}
      {phase === 'paused' && (
        <Notice tone="info">
          <p>You have disconnected: these are the prices as they were then.</p>
          <Button size="compact-xs" variant="default" onClick={hub.toggle}>
            Connect
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
      {phase === 'live' && silent < silentAfter && comesLate && (
        <Notice>
          <p>
            Prices come {formatMillis(latency?.p50 ?? null)} late: the system catches up with what has been
            sent, such as the history of a first start. The <Link to="/pipeline">pipeline</Link> shows where
            it waits.
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
          <p>
            {sentence(baselineError.message)} Change and volume may lack trades; the page tries again by
            itself.
          </p>
        </Notice>
      )}
    </>
  )
}
