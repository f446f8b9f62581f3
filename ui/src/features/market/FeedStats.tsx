import { formatCount } from '@/shared/lib/format'
import classes from './FeedStats.module.css'
import { useFeedStatus, useSymbols } from './stream/FeedContext'

/** How much is coming: updates a second, and of how many symbols. */
export function FeedStats() {
  const { rate } = useFeedStatus()
  const symbols = useSymbols()
  return (
    <dl className={classes.stats}>
      <Stat label="updates/s" value={rate} />
      <Stat label="symbols" value={symbols.length} />
    </dl>
  )
}

function Stat({ label, value }: { label: string; value: number }) {
  return (
    <div className={classes.stat}>
      <dt>{label}</dt>
      <dd>{formatCount(value)}</dd>
    </div>
  )
}
