import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useSyncExternalStore } from 'react'
import type { MarketFeed } from './marketFeed'

const FeedContext = createContext<MarketFeed | null>(null)

export const FeedProvider = FeedContext.Provider

export function useFeed(): MarketFeed {
  const feed = useContext(FeedContext)
  if (!feed) throw new Error('useFeed: no FeedProvider is above this component')
  return feed
}

export function useSymbols(): readonly string[] {
  const { store } = useFeed()
  return useSyncExternalStore(store.onSymbols, store.getSymbols)
}

const baselineKey = ['stocks']
const refresh = 60_000
const refreshAfterError = 5_000

/**
 * Keeps the store's baseline (/api/stocks): read at first, after every gap in
 * the stream, and now and then in case that a correction was missed.
 */
export function useBaseline() {
  const feed = useFeed()
  const client = useQueryClient()
  useEffect(() => feed.onGap(() => void client.invalidateQueries({ queryKey: baselineKey })), [feed, client])
  return useQuery({
    queryKey: baselineKey,
    queryFn: ({ signal }) => feed.load(signal),
    refetchInterval: (query) => (query.state.status === 'error' ? refreshAfterError : refresh),
    retry: false,
  })
}
