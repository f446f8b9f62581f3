import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { read, type Schemas, useApi } from '@/shared/api/client'
import { given, usePages } from '@/shared/api/pages'
import { useStream, useSubject } from '@/shared/stream'
import { noResults, type Results, takeResults } from './results'

export type StreamEvent = Schemas['StreamEvent']

export interface EventFilter {
  topic?: string | undefined
  type?: string | undefined
}

const liveKept = 500
const resultsKey = ['event results']

/** Events, the newest first: what was read by pages, and what comes live. */
export function useEvents({ topic, type }: EventFilter) {
  const api = useApi()
  const pages = usePages(['events', topic, type], (cursor, signal) => {
    const query = { ...given({ topic, type }), ...cursor, limit: 100 }
    return read('GET /api/events', api.GET('/api/events', { params: { query }, signal }))
  })
  const hub = useStream()
  const [live, setLive] = useState<readonly StreamEvent[]>([])
  useSubject('events.>', (messages) => {
    const now = hub.clock.now()
    const news = messages
      .filter(({ snapshot }) => !snapshot)
      .map(({ subject, seq, data, position = '', hops }): StreamEvent => {
        const [, topic = '', type = ''] = subject.split('.').map(decodeURIComponent)
        const at = new Date(hops?.stream ?? now).toISOString()
        return { subject, topic, type, sequence: seq, data, position, at }
      })
    if (news.length > 0) setLive((before) => [...news.reverse(), ...before].slice(0, liveKept))
  })
  const stored = pages.data?.pages.flatMap((page) => page.events) ?? []
  return { ...pages, events: joinEvents(live, stored, { topic, type }) }
}

/** Both, each event once, the newest first. */
export function joinEvents(
  live: readonly StreamEvent[],
  stored: readonly StreamEvent[],
  { topic, type }: EventFilter,
): StreamEvent[] {
  const known = new Set(stored.map(({ sequence }) => sequence))
  return [...live.filter(({ sequence }) => !known.has(sequence)), ...stored]
    .filter((event) => (!topic || event.topic === topic) && (!type || event.type === type))
    .sort((a, b) => b.sequence - a.sequence)
}

/** What buckets and logins say, live. What came is kept for a while when the reader looks at another screen. */
export function useResults(): Results {
  const client = useQueryClient()
  const hub = useStream()
  const [results, setResults] = useState(() => client.getQueryData<Results>(resultsKey) ?? noResults)
  useSubject('results.>', (messages) =>
    setResults((before) => takeResults(before, messages, hub.clock.now())),
  )
  useEffect(() => {
    client.setQueryData(resultsKey, results)
  }, [client, results])
  return results
}
