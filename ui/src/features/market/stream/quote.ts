import { utcDay } from '@/shared/lib/clock'

/** What the page knows of one symbol. The store changes it in place: thousands of new objects a second would be garbage. */
export interface Quote {
  readonly symbol: string
  price: number | null
  /** when the price was traded, unix ms */
  time: number | null
  /** the stream position up to which all is counted here */
  seq: number
  /** the position of the last message of this symbol */
  liveSeq: number
  /** the price that the change is measured from */
  reference: number | null
  /** the UTC day that reference and dayVolume are of */
  day: number
  dayVolume: number | null
  /** where the price goes, as function indicators says of its ticks */
  trend: 'up' | 'down' | 'flat' | null
  /** the closes of the last hour, the oldest first */
  minutes: MinuteClose[]
}

export interface MinuteClose {
  /** number of the minute since 1970 */
  minute: number
  close: number
}

const hour = 60

/** Takes the close of a minute, which may be one that is known or lies between others. */
export function addMinute(quote: Quote, minute: number, close: number): void {
  const { minutes } = quote
  let at = minutes.length
  while (at > 0 && (minutes[at - 1]?.minute ?? 0) > minute) at--
  const before = minutes[at - 1]
  if (before?.minute === minute) before.close = close
  else minutes.splice(at, 0, { minute, close })
  const oldest = (minutes.at(-1)?.minute ?? 0) - hour
  while ((minutes[0]?.minute ?? oldest) < oldest) minutes.shift()
}

export function newQuote(symbol: string): Quote {
  return {
    ...{ symbol, price: null, time: null, seq: 0, liveSeq: 0 },
    ...{ reference: null, day: 0, dayVolume: null, trend: null, minutes: [] },
  }
}

export function change(quote: Quote): number | null {
  return quote.price === null || quote.reference === null ? null : quote.price - quote.reference
}

export function changePercent(quote: Quote): number | null {
  const amount = change(quote)
  return amount === null || !quote.reference ? null : (100 * amount) / quote.reference
}

/** How old the price is at a time of the server's clock; null if there is none. */
export function age(quote: Quote, now: number): number | null {
  return quote.time === null ? null : Math.max(0, now - quote.time)
}

const staleAfter = 10_000

/** An old price must look old: it is stale after 10 s, and at once when nothing can come. */
export function isStale(quote: Quote, now: number, live: boolean): boolean {
  const old = age(quote, now)
  return !live || old === null || old >= staleAfter
}

/** Begins a new UTC day: the last price becomes the reference, and the volume counts from 0. */
export function rollDay(quote: Quote, day: number): boolean {
  if (quote.day >= day) return false
  if (quote.price !== null) quote.reference = quote.price
  if (quote.dayVolume !== null) quote.dayVolume = 0
  quote.day = day
  return true
}

/** Counts a live trade into the day that it was made on, if that is the quote's. */
export function addVolume(quote: Quote, volume: number, time: number): void {
  if (quote.dayVolume !== null && utcDay(time) === quote.day) quote.dayVolume += volume
}
