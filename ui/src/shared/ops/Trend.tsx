import { type Sample, scaleOf } from './scale'

interface TrendProps {
  samples: readonly Sample[]
  /** ms that the width stands for at most, up to the newest sample: less, while less is known */
  span: number
  label: string
  /** cuts a peak off that is far above the last minute, so that this is more than a flat line */
  cut?: boolean
  width?: number
  height?: number
}

/** A line of the last minutes, from zero on: two of them can be compared by their form. */
export function Trend({ samples, span, label, cut = false, width = 96, height = 22 }: TrendProps) {
  const path = trendPath(samples, { span, width, height, cut })
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      // The newest stands at the right: narrower, and not cut off, where there is no room.
      style={{ display: 'block', maxWidth: '100%' }}
      role="img"
      aria-label={label}
    >
      <path d={path} fill="none" stroke="var(--sf-series-1)" strokeWidth="1.25" strokeLinejoin="round" />
    </svg>
  )
}

/** Less than so many ms are not stretched over the whole width: two points would look like a history. */
const least = 20_000

interface Frame {
  span: number
  width: number
  height: number
  cut?: boolean
}

/** The line as a path. A break of more than 10 s in what is known is a break in the line. */
export function trendPath(samples: readonly Sample[], { span, width, height, cut = false }: Frame): string {
  const end = samples.at(-1)?.at ?? 0
  const shown = samples.filter(({ at }) => at >= end - span)
  const wide = Math.max(least, Math.min(span, end - (shown[0]?.at ?? end)))
  const most = cut ? scaleOf(shown, end).top : Math.max(0, ...shown.map(({ value }) => value))
  const top = 1.15 * Math.max(1e-9, most)
  let before = Number.NEGATIVE_INFINITY
  return shown
    .map(({ at, value }) => {
      const x = width - ((end - at) / wide) * width
      const y = height - 1.5 - Math.min(1, value / top) * (height - 3)
      const command = at - before > 10_000 ? 'M' : 'L'
      before = at
      return `${command}${x.toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}
