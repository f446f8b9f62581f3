export interface Sample {
  /** unix ms */
  at: number
  value: number
}

export interface Scale {
  top: number
  /** the highest sample, if it stands above the top */
  cut?: Sample
}

/** how long what is called the last minute is */
const lateMs = 60_000
/** how many times as high as the last minute a peak must be to be cut off */
const steep = 20

/**
 * How high a line of rates goes. A catch-up, such as the history of a first
 * start, is thousands of times what then comes: the last minute must be more
 * than a flat line. Where nothing comes any more there is nothing to be seen of it.
 */
export function scaleOf(samples: readonly Sample[], end: number): Scale {
  let peak: Sample | undefined
  let late = 0
  for (const sample of samples) {
    if (!peak || sample.value > peak.value) peak = sample
    if (end - sample.at < lateMs) late = Math.max(late, sample.value)
  }
  if (peak && late > 0 && peak.value > steep * late) return { top: 1.5 * late, cut: peak }
  return { top: peak?.value ?? 0 }
}

/** The least of 1, 2 or 5 times a power of ten that is not below. */
export function niceTop(most: number): number {
  if (most <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most) ?? most
}
