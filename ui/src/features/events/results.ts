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
  /** when each of the last events came, unix ms: how fast they come */
  recent: number[]
}

export const recentMs = 60_000
export const windowsKept = 60
export const loginsKept = 200

/** Takes a result in. An older one, which a replay may bring, changes nothing but how fast they come. */
export function takeBucket(
  state: BucketState | undefined,
  result: BucketResult,
  at: number | null,
): BucketState {
  const newer = !state || result.count >= state.count
  const currency = result.currency ?? ''
  const recent = (state?.recent ?? []).filter((time) => at === null || time > at - recentMs)
  return {
    count: newer ? result.count : state.count,
    sums: newer ? (result.sums ?? { ...state?.sums, [currency]: result.sum }) : state.sums,
    last: newer ? result : state.last,
    recent: at === null ? recent : [...recent, at],
  }
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
      buckets = { ...buckets, [key]: takeBucket(buckets[key], result, snapshot ? null : now) }
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
