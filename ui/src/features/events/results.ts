import type { DataMessage } from '@/shared/stream'

/** What function buckets says of an event. */
export interface BucketResult {
  class: string
  event_id: string
  type: string
  price: number
  currency?: string
  timestamp: string
  /** events of the class so far */
  count: number
  /** of their prices, in this currency */
  sum: number
  /** of their prices so far, by currency; results of older versions do not say it */
  sums?: Record<string, number>
  position: string
}

/** What function logins says of a window. */
export interface LoginWindow {
  start: string
  end: string
  logins: number
  amended?: number
}

/** What function logins says of a login; the address is masked. */
export interface Login {
  user_id: string
  user_email: string
  timestamp: string
  text: string
  position: string
}

export interface BucketState {
  count: number
  sums: Record<string, number>
  last: BucketResult
  /** from when on it is known how fast they come, unix ms */
  since: number
  /** for each second in which some came, how many there had been before it; of the last minute */
  seconds: { at: number; before: number }[]
}

const recentMs = 60_000
export const windowsKept = 60
export const loginsKept = 200

/**
 * Takes a result in. An older one, which a replay may bring, changes nothing. Of
 * what came before a snapshot it is not known when it came.
 */
export function takeBucket(
  state: BucketState | undefined,
  result: BucketResult,
  now: number,
  snapshot = false,
): BucketState {
  if (state && result.count < state.count) return state
  const currency = result.currency ?? ''
  return {
    count: result.count,
    sums: result.sums ?? { ...state?.sums, [currency]: result.sum },
    last: result,
    ...(!state || (snapshot && result.count > state.count)
      ? { since: now, seconds: [] }
      : paceOf(state, result.count, now)),
  }
}

function paceOf({ count, since, seconds }: BucketState, after: number, now: number) {
  const at = Math.floor(now / 1000) * 1000
  if (after === count || seconds.at(-1)?.at === at) return { since, seconds }
  return { since, seconds: [...seconds.filter((one) => one.at > now - recentMs), { at, before: count }] }
}

/** How many events came in the last minute, or in as much of it as is known of (ms). */
export function recentOf(
  { count, since, seconds }: BucketState,
  now: number,
): { events: number; of: number } {
  const first = seconds.find(({ at }) => at > now - recentMs)
  return { events: first ? count - first.before : 0, of: Math.max(0, Math.min(recentMs, now - since)) }
}

/** A window once, as it was said last, in the order of time. */
export function takeWindow(windows: readonly LoginWindow[], next: LoginWindow): LoginWindow[] {
  return [...windows.filter(({ start }) => start !== next.start), next]
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start))
    .slice(-windowsKept)
}

export interface Results {
  buckets: Record<string, BucketState>
  windows: LoginWindow[]
  logins: Login[]
}

export const noResults: Results = { buckets: {}, windows: [], logins: [] }

/** Takes messages of `results.>` in; those of other functions change nothing. */
export function takeResults(before: Results, messages: readonly DataMessage[], now: number): Results {
  let { buckets, windows, logins } = before
  for (const { subject, data, snapshot } of messages) {
    const [, name, key = ''] = subject.split('.')
    if (name === 'buckets') {
      const result = data as BucketResult
      buckets = { ...buckets, [key]: takeBucket(buckets[key], result, now, snapshot) }
    } else if (name === 'logins' && key === 'count') {
      windows = takeWindow(windows, data as LoginWindow)
    } else if (name === 'logins' && key === 'login') {
      const login = data as Login
      if (!logins.some(({ position }) => position === login.position))
        logins = [login, ...logins].slice(0, loginsKept)
    }
  }
  return { buckets, windows, logins }
}
