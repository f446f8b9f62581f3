import type { MinuteClose } from '../stream/quote'

export const sparkWidth = 96
export const sparkHeight = 20
const shown = 60

/** The points of a line through the closes of the last hour, each at its minute, as SVG wants them. */
export function sparkPoints(all: readonly MinuteClose[], lastMinute: number): string {
  // While a history comes in the closes are days old: they are no line of this hour.
  const minutes = all.filter(({ minute }) => minute >= lastMinute - shown)
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const { close } of minutes) {
    low = Math.min(low, close)
    high = Math.max(high, close)
  }
  if (minutes.length < 2) return ''
  const tall = high - low || 1
  return minutes
    .map(({ minute, close }) => {
      const x = sparkWidth * Math.max(0, 1 - (lastMinute - minute) / shown)
      const y = 1 + (sparkHeight - 2) * (1 - (close - low) / tall)
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
}
