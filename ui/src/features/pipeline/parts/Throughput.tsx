import { type PointerEvent, useState } from 'react'
import { formatMinute, formatTime } from '@/shared/lib/time'
import { formatRate } from '@/shared/ops/numbers'
import { niceTop, scaleOf } from '@/shared/ops/scale'
import { Table } from '@/shared/ops/Table'
import type { Point } from '../data'
import classes from './parts.module.css'

const span = 600_000
const height = 120

/** Committed ticks by second, over ten minutes. It begins at zero. */
export function Throughput({ points }: { points: readonly Point[] }) {
  const [at, setAt] = useState<number | null>(null)
  const end = Date.parse(points.at(-1)?.at ?? '') || 0
  const samples = points.map(({ at, perSecond }) => ({ at: Date.parse(at), value: perSecond }))
  const { top: most, cut } = scaleOf(samples, end)
  const top = niceTop(most)
  const x = (point: Point) => 1000 - ((end - Date.parse(point.at)) / span) * 1000
  const y = (point: Point) => Math.max(height - (point.perSecond / top) * (height - 6), 0)
  const line = points.map(
    (point, index) => `${index ? 'L' : 'M'}${x(point).toFixed(1)} ${y(point).toFixed(1)}`,
  )
  const first = points[0]
  const area = first ? `${line.join('')}L1000 ${height}L${x(first).toFixed(1)} ${height}Z` : ''
  const hover = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    setAt(end - (1 - (event.clientX - box.left) / box.width) * span)
  }
  const shown = at === null ? points.at(-1) : nearest(points, at)
  return (
    <div className={classes.throughput}>
      <p className={classes.reading}>
        {shown ? `${formatTime(shown.at)}: ${formatRate(shown.perSecond)}` : 'Nothing measured yet'}
        {cut && ` · cut off: ${formatRate(cut.value)} at ${formatTime(cut.at)}`}
      </p>
      <div className={classes.plot}>
        <span className={classes.top}>{formatRate(top)}</span>
        <svg
          viewBox={`0 0 1000 ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label="Committed ticks a second, last ten minutes"
          onPointerMove={hover}
          onPointerLeave={() => setAt(null)}
        >
          <line x1={0} x2={1000} y1={6} y2={6} className={classes.grid} />
          <line x1={0} x2={1000} y1={height / 2 + 3} y2={height / 2 + 3} className={classes.grid} />
          <path d={area} className={classes.area} />
          <path d={line.join('')} className={classes.curve} />
          {at !== null && shown && (
            <line x1={x(shown)} x2={x(shown)} y1={0} y2={height} className={classes.cursor} />
          )}
        </svg>
        <div className={classes.axis} aria-hidden="true">
          <span>{formatMinute(end - span)}</span>
          <span>{formatMinute(end - span / 2)}</span>
          <span>{formatMinute(end)}</span>
        </div>
      </div>
    </div>
  )
}

/** The same by minutes, for who does not see the line. */
export function ThroughputTable({ points }: { points: readonly Point[] }) {
  const minutes = new Map<string, number[]>()
  for (const { at, perSecond } of points) {
    const minute = formatMinute(at)
    minutes.set(minute, [...(minutes.get(minute) ?? []), perSecond])
  }
  return (
    <Table
      label="Throughput by minute"
      heads={[
        'Minute',
        { label: 'Mean', number: true },
        { label: 'Least', number: true },
        { label: 'Most', number: true },
      ]}
    >
      {[...minutes].reverse().map(([minute, rates]) => (
        <tr key={minute}>
          <th scope="row">{minute}</th>
          <td data-number>{formatRate(rates.reduce((a, b) => a + b, 0) / rates.length)}</td>
          <td data-number>{formatRate(Math.min(...rates))}</td>
          <td data-number>{formatRate(Math.max(...rates))}</td>
        </tr>
      ))}
    </Table>
  )
}

function nearest(points: readonly Point[], at: number): Point | undefined {
  let best: Point | undefined
  for (const point of points) {
    const gap = Math.abs(Date.parse(point.at) - at)
    if (!best || gap < Math.abs(Date.parse(best.at) - at)) best = point
  }
  return best
}
