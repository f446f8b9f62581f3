import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useApi } from '@/shared/api/client'
import { useStream } from '@/shared/stream'
import type { Interval } from '../search'
import { type SeriesCache, seriesCacheOf } from './seriesCache'

export function useSeriesCache(): SeriesCache {
  return seriesCacheOf(useQueryClient(), useApi(), useStream())
}

/** The candles of a symbol, live while the component is there. */
export function useSeries(symbol: string, interval: Interval) {
  const cache = useSeriesCache()
  const series = cache.series(symbol, interval)
  useEffect(() => cache.follow(symbol, interval), [cache, symbol, interval])
  const query = useQuery({
    queryKey: ['series', symbol, interval],
    queryFn: async ({ signal }) => {
      await cache.refresh(symbol, interval, signal)
      return cache.series(symbol, interval).all.length
    },
    // What came while nobody followed is read when somebody does again; else the stream tells.
    staleTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: 1,
    retryDelay: 500,
  })
  return { series, query, cache }
}
