import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { formatDateTime, formatTime } from '@/shared/lib/time'
import classes from '../alerts.module.css'
import { type RuleDraft, type RuleTest, useRuleTest } from '../data'

type Range = 'today' | '24h' | '7d'

const words: Record<Range, string> = {
  today: 'today',
  '24h': 'in the last 24 hours',
  '7d': 'in the last 7 days',
}

/** Since when a range is, by whole minutes: the same question is asked once. */
export function startOf(range: Range, now: number): number {
  const minute = Math.floor(now / 60_000) * 60_000
  if (range === 'today') return minute - (minute % 86_400_000)
  return minute - (range === '24h' ? 1 : 7) * 86_400_000
}

/** What the rule would have done, judged by the server over the ticks that are stored. */
export function usePreview(draft: RuleDraft | null) {
  const [range, setRange] = useState<Range>('today')
  const [from, setFrom] = useState(() => startOf('today', Date.now()))
  const choose = (next: Range) => {
    setRange(next)
    setFrom(startOf(next, Date.now()))
  }
  return { range, choose, test: useRuleTest(draft, from) }
}

interface PreviewProps extends ReturnType<typeof usePreview> {
  ready: boolean
}

export function Preview({ range, choose, test, ready }: PreviewProps) {
  return (
    <section className={classes.preview} aria-label="Preview">
      <div className={classes.previewHead}>
        <h3>Backtest</h3>
        <SegmentedControl
          size="xs"
          aria-label="How far back"
          data={[
            { value: 'today', label: 'Today' },
            { value: '24h', label: '24 h' },
            { value: '7d', label: '7 d' },
          ]}
          value={range}
          onChange={(value) => choose(value as Range)}
        />
      </div>
      <p role="status" aria-label="Preview result">
        {!ready && (
          <span className={classes.muted}>Say a symbol and a condition to see what it would have done.</span>
        )}
        {ready && test.isFetching && <span className={classes.muted}>Judging…</span>}
        {ready && !test.isFetching && test.error && (
          <span className={classes.muted}>It cannot be judged yet: {test.error.message}</span>
        )}
        {ready && !test.isFetching && test.data && <b>{sayCount(test.data, words[range])}</b>}
      </p>
      {ready && test.data && !test.error && <WouldHave test={test.data} />}
    </section>
  )
}

export function sayCount({ count }: RuleTest, when: string): string {
  if (count === 0) return `Would not have fired ${when}.`
  return `Would have fired ${count === 1 ? 'once' : `${formatCount(count)} times`} ${when}.`
}

function WouldHave({ test }: { test: RuleTest }) {
  const from = Date.parse(test.from)
  const span = Math.max(1, Date.parse(test.to) - from)
  const more = test.count - test.alerts.length
  return (
    <>
      <p className={classes.muted}>
        Judged on {formatCount(test.ticks)} ticks.
        {!test.complete && ` That was too much for one go: it ends at ${formatDateTime(test.to)}.`}
        {test.ticks === 0 && ' There are none of this symbol in that time.'}
      </p>
      {test.alerts.length > 0 && (
        <>
          <svg
            viewBox="0 0 1000 26"
            preserveAspectRatio="none"
            className={classes.strip}
            role="img"
            aria-label="When it would have fired"
          >
            {test.alerts.map(({ id, time }) => {
              const x = ((Date.parse(time) - from) / span) * 1000
              return <line key={id} x1={x} x2={x} y1={4} y2={26} />
            })}
          </svg>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <ol className={classes.would} tabIndex={0} aria-label="When it would have fired, as a list">
            {test.alerts.map(({ id, time, text }) => (
              <li key={id}>
                <time dateTime={time} title={formatDateTime(time)}>
                  {span > 86_400_000 ? formatDateTime(time) : formatTime(time)}
                </time>{' '}
                {text}
              </li>
            ))}
          </ol>
          {more > 0 && <p className={classes.muted}>And {formatCount(more)} more.</p>}
        </>
      )}
    </>
  )
}
