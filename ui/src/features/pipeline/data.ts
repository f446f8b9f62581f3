import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { read, type Schemas, useApi } from '@/shared/api/client'
import { useLatest } from '@/shared/stream'

export type PipelineReading = Schemas['Pipeline']
export type Hop = Schemas['PipelineHop']
export type Stage = Schemas['PipelineStage']
export type Point = Schemas['ThroughputPoint']

/** What subject `pipeline` says once a second. */
export interface PipelineNews {
  at: string
  perSecond: number
  hops: Hop[]
}

/** How the system runs: read every five seconds, its hops and rate once a second from the stream. */
export function usePipeline() {
  const api = useApi()
  const reading = useQuery({
    queryKey: ['pipeline'],
    queryFn: ({ signal }) => read('GET /api/pipeline', api.GET('/api/pipeline', { signal })),
    refetchInterval: 5000,
    staleTime: 0,
  })
  const news = useLatest<PipelineNews>('pipeline', 1)?.data
  const data = useMemo(() => (reading.data ? withNews(reading.data, news) : undefined), [reading.data, news])
  return { ...reading, data }
}

/** What is known, with what came since. News that are older than the reading change nothing. */
export function withNews(reading: PipelineReading, news: PipelineNews | undefined): PipelineReading {
  if (!news || Date.parse(news.at) <= Date.parse(reading.at)) return reading
  const last = reading.throughput.at(-1)
  // The news are of the second that has just ended.
  const second = new Date((Math.floor(Date.parse(news.at) / 1000) - 1) * 1000)
  const fresh = !last || second.getTime() > Date.parse(last.at)
  const throughput = fresh
    ? [...reading.throughput, { at: second.toISOString(), perSecond: news.perSecond }].slice(-600)
    : reading.throughput
  return { ...reading, at: news.at, hops: news.hops, throughput }
}
