import { formatCount, formatMillis, formatShort, formatTenth, unknown } from '@/shared/lib/format'

type Known = number | null | undefined

/** 3.4/s, 1,250/s */
export function formatRate(perSecond: Known): string {
  if (perSecond === null || perSecond === undefined) return unknown
  return `${perSecond > 0 && perSecond < 99.95 ? formatTenth(perSecond) : formatCount(perSecond)}/s`
}

/** 3.4/s, 1,250/s, 18.6K/s: for where there is little room */
export function formatRateShort(perSecond: Known): string {
  return typeof perSecond === 'number' && perSecond >= 10_000
    ? `${formatShort(perSecond)}/s`
    : formatRate(perSecond)
}

export function formatKnown(count: Known): string {
  return count === null || count === undefined ? unknown : formatCount(count)
}

export function formatMs(ms: Known): string {
  return formatMillis(ms ?? null)
}

/** 640 ns, 11 µs, 1.2 ms */
export function formatMicros(us: Known): string {
  if (us === null || us === undefined || us === 0) return unknown
  if (us < 1) return `${Math.round(us * 1000)} ns`
  return us < 1000 ? `${us < 9.95 ? formatTenth(us) : Math.round(us)} µs` : formatMillis(us / 1000)
}

/** 12.5 MB */
export function formatBytes(bytes: Known): string {
  if (bytes === null || bytes === undefined) return unknown
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit > 0 && value < 99.95 ? formatTenth(value) : Math.round(value)} ${units[unit]}`
}

/** How long ago a moment of RFC 3339 was, in ms by the server's clock. */
export function since(moment: string | null | undefined, now: number): number | null {
  return moment ? Math.max(0, now - Date.parse(moment)) : null
}
