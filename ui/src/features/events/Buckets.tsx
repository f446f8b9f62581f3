import { formatCount, formatPrice } from '@/shared/lib/format'
import { formatTime } from '@/shared/lib/time'
import { JourneyLink } from '@/shared/ops/JourneyLink'
import { Empty } from '@/shared/panel/Panel'
import { useStreamStatus } from '@/shared/stream'
import classes from './events.module.css'
import { type BucketState, recentOf } from './results'

const order = ['low', 'medium', 'high']

/** Events by the class of their price. */
export function Buckets({ buckets }: { buckets: Readonly<Record<string, BucketState>> }) {
  const { now } = useStreamStatus()
  const names = [
    ...order.filter((name) => buckets[name]),
    ...Object.keys(buckets).filter((name) => !order.includes(name)),
  ]
  if (names.length === 0) {
    return (
      <Empty title="No event yet">
        <code>streamflow simulate events</code> sends some; any producer of topic events does.
      </Empty>
    )
  }
  const all = names.reduce((sum, name) => sum + (buckets[name]?.count ?? 0), 0)
  return (
    <ul className={classes.buckets}>
      {names.map((name) => {
        const bucket = buckets[name]
        return (
          bucket && <Bucket key={name} {...{ name, bucket, now }} share={bucket.count / Math.max(1, all)} />
        )
      })}
    </ul>
  )
}

interface BucketProps {
  name: string
  bucket: BucketState
  /** of all events */
  share: number
  /** the server's time, unix ms */
  now: number
}

function Bucket({ name, bucket, share, now }: BucketProps) {
  const { count, sums, last } = bucket
  const recent = recentOf(bucket, now)
  return (
    <li className={classes.bucket}>
      <h3>{name}</h3>
      <p className={classes.big}>{formatCount(count)}</p>
      <div className={classes.share} aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </div>
      <p className={classes.muted}>
        {Math.round(share * 100)}% of all, {formatCount(recent.events)} in the last{' '}
        {Math.round(recent.of / 1000)} s
      </p>
      <ul className={classes.sums} aria-label={`Sums of ${name}`}>
        {Object.entries(sums)
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([currency, sum]) => (
            <li key={currency}>
              {formatPrice(sum)} {currency || 'without a currency'}
            </li>
          ))}
      </ul>
      <p className={classes.last}>
        {formatTime(last.timestamp)} {last.type} {formatPrice(last.price)} {last.currency}{' '}
        <JourneyLink position={last.position}>journey</JourneyLink>
      </p>
    </li>
  )
}
