import { useQuery } from '@tanstack/react-query'
import { read, type Schemas, useApi } from '@/shared/api/client'

export type Journey = Schemas['Journey']
export type JourneyHop = Schemas['JourneyHop']

export interface Position {
  topic: string
  partition: number
  offset: number
}

/** Reads stock_ticks/0/77; null if it is no place in Kafka. */
export function readPosition(text: string): Position | null {
  const [, topic, partition, offset] = /^\s*([\w.-]+)\/(\d{1,9})\/(\d{1,18})\s*$/.exec(text) ?? []
  if (!topic) return null
  return { topic, partition: Number(partition), offset: Number(offset) }
}

/** The way of a message. Results still come in for a moment: it is read again while it is young. */
export function useJourney(position: Position | null) {
  const api = useApi()
  return useQuery({
    queryKey: ['journey', position],
    queryFn: ({ signal }) =>
      read(
        'GET /api/journey',
        api.GET('/api/journey/{topic}/{partition}/{offset}', {
          params: { path: position as Position },
          signal,
        }),
      ),
    enabled: position !== null,
    retry: false,
    staleTime: 5000,
  })
}

export interface Bar {
  name: string
  /** where it comes from */
  since: string | undefined
  /** ms since the first hop: of the hop before, and of this one */
  start: number
  end: number
}

/** Each hop as the time that it took, from the hop that it came from. */
export function barsOf(hops: readonly JourneyHop[]): Bar[] {
  return hops.map(({ name, since, afterMs, totalMs }) => ({
    name,
    since,
    start: Math.max(0, totalMs - (afterMs ?? 0)),
    end: totalMs,
  }))
}
