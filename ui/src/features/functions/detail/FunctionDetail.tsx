import { ActionIcon, Button } from '@mantine/core'
import { IconArrowLeft, IconPlayerPause, IconPlayerPlay, IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import { DeadLetters } from '@/features/pipeline/letters/DeadLetters'
import { formatAge } from '@/shared/lib/format'
import { formatTime } from '@/shared/lib/time'
import { formatKnown, formatMicros, formatRate } from '@/shared/ops/numbers'
import { Outcome, type OutcomeText } from '@/shared/ops/Outcome'
import { Figures, State } from '@/shared/ops/pieces'
import { type Sample, scaleOf } from '@/shared/ops/scale'
import { Trend } from '@/shared/ops/Trend'
import { Panel } from '@/shared/panel/Panel'
import { type Change, type FunctionView, type History, span, useChangeFunction } from '../data'
import classes from '../FunctionsScreen.module.css'
import { standingOf } from '../standing'
import { Outputs } from './Outputs'
import { Params } from './Params'
import { ReplayDialog } from './ReplayDialog'
import { Scale } from './Scale'
import { Shards } from './Shards'

interface FunctionDetailProps {
  view: FunctionView
  /** when it was read, unix ms by the server's clock */
  at: number
  history: History | undefined
  close: () => void
}

/** One function: what it does now, and what can be done with it. */
export function FunctionDetail({ view, at, history, close }: FunctionDetailProps) {
  const { name, desired } = view
  const change = useChangeFunction()
  const [outcome, setOutcome] = useState<OutcomeText | null>(null)
  const [replaying, setReplaying] = useState(false)
  const apply = (news: Change, done: string) =>
    change.mutate(
      { name, change: news },
      {
        onSuccess: () => setOutcome({ tone: 'good', text: done }),
        onError: (error) => setOutcome({ tone: 'bad', text: error.message }),
      },
    )
  const running = desired.state === 'running'
  const standing = standingOf(view)
  return (
    <Panel
      title={name}
      className={classes.detail ?? ''}
      actions={
        <>
          <Button
            size="compact-xs"
            variant={running ? 'default' : 'filled'}
            leftSection={
              running ? <IconPlayerPause size={13} aria-hidden /> : <IconPlayerPlay size={13} aria-hidden />
            }
            loading={change.isPending}
            onClick={() =>
              running
                ? apply({ state: 'paused' }, `${name} is to pause. It keeps its place.`)
                : apply({ state: 'running' }, `${name} is to run, from where it was.`)
            }
          >
            {running ? 'Pause' : 'Resume'}
          </Button>
          {view.kind === 'step' && (
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconRefresh size={13} aria-hidden />}
              onClick={() => setReplaying(true)}
            >
              Replay…
            </Button>
          )}
          <ActionIcon size="sm" variant="subtle" color="gray" aria-label="Close" onClick={close}>
            <IconArrowLeft size={15} aria-hidden />
          </ActionIcon>
        </>
      }
    >
      <Outcome outcome={outcome} close={() => setOutcome(null)} />
      <div className={classes.section}>
        <p>
          <State tone={standing.tone}>{standing.word}</State>
          {standing.detail && `: ${standing.detail}`}
        </p>
        <p className={classes.muted}>{view.does}</p>
        <p className={classes.muted}>
          Reads {view.reads}, writes {view.writes}; generation {view.layout.generation}
          {view.desired.replay && `, replayed from ${view.desired.replay.from}`}
        </p>
      </div>
      <Figures
        figures={[
          { name: 'rate', value: formatRate(view.rate) },
          { name: 'lag', value: formatKnown(view.lag) },
          { name: 'p50', value: formatMicros(view.stepP50Us) },
          { name: 'p99', value: formatMicros(view.stepP99Us) },
          {
            name: 'snapshot',
            value: formatAge(view.checkpointAgeSeconds === null ? null : view.checkpointAgeSeconds * 1000),
          },
        ]}
      />
      <div className={classes.section}>
        <h3>Last 5 minutes</h3>
        {history && history.rate.length > 1 ? (
          <>
            <Line name="rate" samples={history.rate} write={formatRate} height={36} cut />
            <Line name="lag" samples={history.lag} write={formatKnown} height={28} />
          </>
        ) : (
          <p className={classes.muted}>Two lines begin here within some seconds of looking.</p>
        )}
      </div>
      <Shards view={view} at={at} />
      {view.kind === 'step' && (
        <Scale
          wanted={desired.shards}
          pending={change.isPending}
          apply={(shards) => apply({ shards }, `${name} is to have ${shards} shards.`)}
        />
      )}
      <Params
        params={desired.params}
        pending={change.isPending}
        apply={(params) => apply({ params }, `${name} is to take these parameters.`)}
      />
      {view.kind === 'step' && <Outputs name={name} />}
      <div className={classes.section}>
        <h3>Dead letters</h3>
        <div className={classes.bleed}>
          <DeadLetters of={name} />
        </div>
      </div>
      {replaying && (
        <ReplayDialog
          view={view}
          close={() => setReplaying(false)}
          done={(text) => setOutcome({ tone: 'good', text })}
        />
      )}
    </Panel>
  )
}

interface LineProps {
  name: string
  samples: readonly Sample[]
  write: (value: number) => string
  height: number
  /** a peak far above the last minute is cut off, and named */
  cut?: boolean
}

/** A line from zero on, and how high it goes. */
function Line({ name, samples, write, height, cut = false }: LineProps) {
  const peak = cut ? scaleOf(samples, samples.at(-1)?.at ?? 0).cut : undefined
  const most = write(Math.max(0, ...samples.map(({ value }) => value)))
  const words = peak ? `${name}, cut off: ${most} at ${formatTime(peak.at)}` : `${name}, at most ${most}`
  return (
    <figure className={classes.line}>
      <figcaption>{words}</figcaption>
      <Trend samples={samples} span={span} cut={cut} label={words} width={600} height={height} />
    </figure>
  )
}
