import { formatCount, formatMillis } from '@/shared/lib/format'
import { useSettings } from '@/shared/settings/settings'
import { useStreamStatus } from '@/shared/stream'
import classes from './Header.module.css'

/** What the stream does now: how much comes, how old it is on arrival, and what was left out. */
export function StreamFigures() {
  const { rate, latency, dropped, conflated, phase } = useStreamStatus()
  const maxRate = useSettings((settings) => settings.maxRate)
  const live = phase === 'live'
  return (
    <dl className={classes.figures}>
      <Figure name="rate" label="msg/s" value={live ? formatCount(rate) : '–'} hint="Messages a second" />
      <Figure
        name="latency"
        label="latency"
        value={live && latency ? formatMillis(latency.p50) : '–'}
        hint={
          latency
            ? `From Kafka to this page, the clocks' difference taken out: half of the ticks under ${formatMillis(latency.p50)}, 99 % under ${formatMillis(latency.p99)}`
            : 'From Kafka to this page: no tick has come yet'
        }
      />
      <Figure
        name="dropped"
        label="dropped"
        value={formatCount(dropped)}
        hint="Messages that the server left out because this page was too slow"
        bad={dropped > 0}
      />
      <Figure
        name="conflated"
        label="conflated"
        value={formatCount(conflated)}
        hint={
          maxRate === null
            ? 'High-rate mode: every tick comes (Shift+H)'
            : `Replaced by newer ones: at most ${maxRate}/s of each symbol come (Shift+H)`
        }
      />
    </dl>
  )
}

interface FigureProps {
  name: string
  label: string
  value: string
  hint: string
  bad?: boolean
}

function Figure({ name, label, value, hint, bad = false }: FigureProps) {
  return (
    <div className={classes.figure} title={hint} data-figure={name} data-bad={bad || undefined}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  )
}
