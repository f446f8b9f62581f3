import { unknown } from './format'

/** UTC, or the zone of this computer */
export type TimeZone = 'utc' | 'local'

let times = timesOf('utc')

/** Makes all times from now on as a zone has them. */
export function setTimeZone(zone: TimeZone): void {
  times = timesOf(zone)
}

function timesOf(zone: TimeZone) {
  const timeZone = zone === 'utc' ? 'UTC' : undefined
  // sv-SE writes ISO dates and 24 hours, which everybody reads the same.
  const make = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('sv-SE', { ...options, ...(timeZone && { timeZone }) })
  const day = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  const minute = { hour: '2-digit', minute: '2-digit' } as const
  const second = { ...minute, second: '2-digit' } as const
  return {
    day: make(day),
    minute: make(minute),
    second: make(second),
    millisecond: make({ ...second, fractionalSecondDigits: 3 }),
    full: make({ ...day, ...second }),
  }
}

type Moment = number | string | null | undefined

function format(formatter: Intl.DateTimeFormat, moment: Moment): string {
  const ms = typeof moment === 'string' ? Date.parse(moment) : (moment ?? Number.NaN)
  return Number.isFinite(ms) ? formatter.format(ms) : unknown
}

/** 14:30:05, of unix ms or RFC 3339 */
export const formatTime = (moment: Moment): string => format(times.second, moment)
/** 14:30 */
export const formatMinute = (moment: Moment): string => format(times.minute, moment)
/** 14:30:05.123 */
export const formatMoment = (moment: Moment): string => format(times.millisecond, moment).replace(',', '.')
/** 2026-03-02 */
export const formatDay = (moment: Moment): string => format(times.day, moment)
/** 03-02 */
export const formatMonthDay = (moment: Moment): string => formatDay(moment).slice(-5)
/** 2026-03-02 14:30:05 */
export const formatDateTime = (moment: Moment): string => format(times.full, moment)
