import classes from './MarketTable.module.css'
import { sparkHeight, sparkWidth } from './sparkline'

/** A line that the painter draws. */
export function Sparkline() {
  return (
    <svg
      className={classes.sparkline}
      viewBox={`0 0 ${sparkWidth} ${sparkHeight}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline fill="none" strokeWidth="1.3" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
