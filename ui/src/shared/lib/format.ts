/** What stands where a value is not known. */
export const unknown = '–'

let formats = formatsOf('en-US')

/** Makes all numbers from now on as a locale writes them; undefined is as the browser does. */
export function setNumberLocale(locale: string | undefined): void {
  formats = formatsOf(locale)
}

function formatsOf(locale: string | undefined) {
  const decimals = (digits: number) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return {
    cents: decimals(2),
    pennies: decimals(4),
    tiny: new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 }),
    compact: new Intl.NumberFormat(locale, {
      notation: 'compact',
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
    }),
    short: new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 }),
    tenth: decimals(1),
    full: new Intl.NumberFormat(locale, { maximumFractionDigits: 8 }),
    whole: new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }),
  }
}

/** 1,234.50; below 1 with the decimals that such a price needs. */
export function formatPrice(price: number | null): string {
  if (price === null) return unknown
  const size = Math.abs(price)
  const format = size >= 1 || size === 0 ? formats.cents : size >= 0.01 ? formats.pennies : formats.tiny
  return (price < 0 ? '−' : '') + format.format(size)
}

/** +1.23 or −1.23; a change that rounds to nothing has no sign. */
export function formatChange(change: number | null, price: number | null): string {
  if (change === null) return unknown
  const small = price !== null && Math.abs(price) < 1
  return signed(change, small ? formatPrice(Math.abs(change)) : formats.cents.format(Math.abs(change)))
}

/** +0.66 % */
export function formatPercent(percent: number | null): string {
  return percent === null ? unknown : `${signed(percent, formats.cents.format(Math.abs(percent)))}%`
}

function signed(value: number, text: string): string {
  if (!/[1-9]/.test(text)) return text
  return (value > 0 ? '+' : '−') + text
}

/** 1.23M; below a thousand in full */
export function formatVolume(volume: number | null): string {
  if (volume === null) return unknown
  return volume < 1000 ? formats.whole.format(volume) : formats.compact.format(volume)
}

/** 191K; below ten thousand in full: for where there is little room */
export function formatShort(count: number | null | undefined): string {
  if (count === null || count === undefined) return unknown
  return count < 10_000 ? formats.whole.format(count) : formats.short.format(count)
}

/** 12,345.678: with the digits that it has, up to eight behind the point */
export function formatFull(value: number): string {
  return formats.full.format(value)
}

/** 3.4 */
export function formatTenth(value: number): string {
  return formats.tenth.format(value)
}

/** 12,345 */
export function formatCount(count: number): string {
  return formats.whole.format(count)
}

/** 7s, 3m, 5h, 2d: a live price is seconds old, what is older needs no more digits. */
export function formatAge(ms: number | null): string {
  if (ms === null) return unknown
  const seconds = Math.floor(Math.max(0, ms) / 1000)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** 0.4 ms, 12 ms, 1.2 s, 3.5 min, 26 h: how long something took */
export function formatMillis(ms: number | null): string {
  if (ms === null) return unknown
  if (ms < 9.95) return `${formatTenth(ms)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 99_950) return `${formatTenth(ms / 1000)} s`
  if (ms < 100 * 60_000) return `${formatTenth(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}
