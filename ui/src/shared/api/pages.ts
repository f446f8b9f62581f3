import { useInfiniteQuery } from '@tanstack/react-query'

/** What was read of a list: its newest page first. */
export interface Page {
  /** cursor of the page of older ones; null where there is none */
  next: string | null
}

/** The members of a filter that say something: an empty one is none. */
export function given<Filter extends object>(filter: Filter): Filter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value)) as Filter
}

/**
 * A list that is read by pages, the newest first. key must tell one filter from
 * another; ask reads the page at a cursor, the first one without.
 */
export function usePages<P extends Page>(
  key: readonly unknown[],
  ask: (cursor: { cursor?: string }, signal: AbortSignal) => Promise<P>,
  everyMs: number | false = false,
) {
  return useInfiniteQuery({
    queryKey: key,
    queryFn: ({ signal, pageParam }) => ask(pageParam ? { cursor: pageParam } : {}, signal),
    initialPageParam: '',
    getNextPageParam: ({ next }: P) => next ?? undefined,
    refetchInterval: everyMs,
  })
}
