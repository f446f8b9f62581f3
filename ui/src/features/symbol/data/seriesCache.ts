import type { QueryClient } from '@tanstack/react-query'
import { type Api, read } from '@/shared/api/client'
import { type StreamHub, token } from '@/shared/stream'
import type { Interval } from '../search'
import { streamedBar, toBar } from './bar'
import { CandleSeries } from './candleSeries'

const pageSize = 1000
const what = 'GET /api/stocks/{symbol}/candles'
/** How many series are kept; the one that was left longest ago goes first. */
const kept = 40

interface Entry {
  series: CandleSeries
  users: number
  leave: (() => void) | null
  loading: Promise<void> | null
  stale: boolean
}

/**
 * SeriesCache keeps the candles of every symbol and interval that was looked at.
 * Who comes back sees them at once, and only what came since is read.
 */
export class SeriesCache {
  private readonly entries = new Map<string, Entry>()

  constructor(
    private readonly api: Api,
    private readonly hub: StreamHub,
  ) {}

  series(symbol: string, interval: Interval): CandleSeries {
    return this.entry(symbol, interval).series
  }

  /** Follows a series live until the returned function is called. */
  follow(symbol: string, interval: Interval): () => void {
    const entry = this.entry(symbol, interval)
    entry.users++
    entry.leave ??= this.listen(symbol, interval, entry)
    return () => {
      entry.users--
      if (entry.users > 0) return
      entry.leave?.()
      entry.leave = null
      entry.stale = true
    }
  }

  /** Reads the newest candles, or those since the newest that is known. */
  async refresh(symbol: string, interval: Interval, signal?: AbortSignal): Promise<void> {
    const entry = this.entry(symbol, interval)
    const { series } = entry
    if (series.next !== undefined && !entry.stale) return
    const newest = series.last
    const first = series.next === undefined
    // Late ticks may have amended some of those before.
    const from = first || !newest ? undefined : new Date((newest.time - 90) * 1000).toISOString()
    const query = { interval, limit: first ? pageSize : 10_000, ...(from && { from }) }
    const page = await this.ask(symbol, query, signal)
    series.addPage(page.candles.map(toBar))
    if (first) series.next = page.next
    entry.stale = false
  }

  /** Reads the candles before those that are known; there is one such request at a time. */
  async older(symbol: string, interval: Interval): Promise<void> {
    const entry = this.entry(symbol, interval)
    const cursor = entry.series.next
    if (!cursor) return
    entry.loading ??= this.ask(symbol, { interval, limit: pageSize, cursor })
      .then((page) => {
        entry.series.next = page.next
        entry.series.addPage(page.candles.map(toBar))
      })
      .finally(() => {
        entry.loading = null
      })
    return entry.loading
  }

  private ask(
    symbol: string,
    query: { interval: Interval; limit: number; from?: string; cursor?: string },
    signal?: AbortSignal,
  ) {
    return read(
      what,
      this.api.GET('/api/stocks/{symbol}/candles', {
        params: { path: { symbol }, query },
        ...(signal && { signal }),
      }),
    )
  }

  private listen(symbol: string, interval: Interval, entry: Entry): () => void {
    const leaveSubject = this.hub.subscribe(`candles.${interval}.${token(symbol)}`, (message) => {
      const bar = streamedBar(message.data)
      if (bar) entry.series.apply(bar)
    })
    const leaveGap = this.hub.onGap((stream) => {
      if (stream !== '' && stream !== 'CANDLES') return
      entry.stale = true
      void this.refresh(symbol, interval).catch(() => undefined)
    })
    return () => {
      leaveSubject()
      leaveGap()
    }
  }

  private entry(symbol: string, interval: Interval): Entry {
    const key = `${interval} ${symbol}`
    const known = this.entries.get(key)
    if (known) {
      this.entries.delete(key)
      this.entries.set(key, known)
      return known
    }
    const entry: Entry = { series: new CandleSeries(), users: 0, leave: null, loading: null, stale: true }
    this.entries.set(key, entry)
    this.evict()
    return entry
  }

  private evict(): void {
    for (const [key, entry] of this.entries) {
      if (this.entries.size <= kept) return
      if (entry.users === 0 && !entry.loading) this.entries.delete(key)
    }
  }
}

const caches = new WeakMap<QueryClient, SeriesCache>()

/** The cache that lives as long as the page's other answers do. */
export function seriesCacheOf(client: QueryClient, api: Api, hub: StreamHub): SeriesCache {
  const known = caches.get(client)
  if (known) return known
  const made = new SeriesCache(api, hub)
  caches.set(client, made)
  return made
}
