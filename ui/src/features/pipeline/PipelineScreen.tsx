import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { useNarrow } from '@/shared/lib/narrow'
import { useAddress } from '@/shared/ops/address'
import { ConnectionNotice } from '@/shared/ops/ConnectionNotice'
import { formatKnown, formatMs, formatRate } from '@/shared/ops/numbers'
import { Figures, ScreenTitle } from '@/shared/ops/pieces'
import { Failed, Loading, Panel } from '@/shared/panel/Panel'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import { type Hop, type PipelineReading, usePipeline } from './data'
import { Diagram, moodOf } from './diagram/Diagram'
import { HopTable } from './diagram/HopTable'
import { DeadLetters } from './letters/DeadLetters'
import classes from './PipelineScreen.module.css'
import { Database } from './parts/Database'
import { Health } from './parts/Health'
import { Kafka } from './parts/Kafka'
import { Streams } from './parts/Streams'
import { Throughput, ThroughputTable } from './parts/Throughput'

type View = 'diagram' | 'table'
const views = [
  { value: 'diagram', label: 'Diagram' },
  { value: 'table', label: 'Table' },
]

/** The way of a tick, with what each part of it does now. */
export function PipelineScreen() {
  const pipeline = usePipeline()
  const narrow = useNarrow()
  const first = narrow ? 'table' : 'diagram'
  const [{ view = first }, change] = useAddress()
  const [plot, setPlot] = useState<View>('diagram')
  const show = (next: string) => change({ view: next === first ? undefined : next })
  useShortcuts([
    {
      keys: 'v',
      label: 'Diagram or table',
      group: 'Pipeline',
      run: () => show(view === 'diagram' ? 'table' : 'diagram'),
    },
  ])
  if (!pipeline.data) {
    return (
      <>
        <ScreenTitle>Pipeline</ScreenTitle>
        {pipeline.error ? (
          <Failed what="The pipeline" error={pipeline.error} retry={() => void pipeline.refetch()} />
        ) : (
          <Loading what="the pipeline" />
        )}
      </>
    )
  }
  const reading = pipeline.data
  return (
    <div className={classes.screen}>
      <ScreenTitle>Pipeline</ScreenTitle>
      <ConnectionNotice what="figures" error={pipeline.error} />
      <Summary reading={reading} />
      <Panel
        title="Way of a tick"
        actions={<SegmentedControl size="xs" aria-label="Way as" data={views} value={view} onChange={show} />}
      >
        {view === 'table' ? <HopTable reading={reading} /> : <Diagram reading={reading} />}
      </Panel>
      <div className={classes.two}>
        <Panel
          title="Throughput"
          actions={
            <SegmentedControl
              size="xs"
              aria-label="Throughput as"
              data={[
                { value: 'diagram', label: 'Line' },
                { value: 'table', label: 'Table' },
              ]}
              value={plot}
              onChange={(next) => setPlot(next as View)}
            />
          }
        >
          {plot === 'table' ? (
            <ThroughputTable points={reading.throughput} />
          ) : (
            <Throughput points={reading.throughput} />
          )}
        </Panel>
        <Panel title="Health">
          <Health reading={reading} />
        </Panel>
      </div>
      <Panel title="Kafka">
        <Kafka kafka={reading.kafka} />
      </Panel>
      <Panel title="Streams">
        <Streams reading={reading} />
      </Panel>
      <Panel title="Database">
        <Database database={reading.database} />
      </Panel>
      <Panel title="Dead letters">
        <DeadLetters />
      </Panel>
    </div>
  )
}

/** The figures that tell at a glance whether all is well. */
function Summary({ reading: { hops, health, throughput } }: { reading: PipelineReading }) {
  const api = hops.find(({ name }) => name === 'api')
  const bridge = hops.find(({ name }) => name === 'bridge')
  const worst = hops.reduce<Hop | undefined>(
    (most, hop) => ((hop.lag ?? 0) > (most?.lag ?? 0) ? hop : most),
    undefined,
  )
  const down = health.filter(({ ok }) => !ok)
  return (
    <section className={classes.summary} aria-label="At a glance">
      <Figures
        figures={[
          { name: 'committed', value: formatRate(throughput.at(-1)?.perSecond) },
          { name: 'Kafka to API p50', value: formatMs(api?.totalP50Ms) },
          { name: 'Kafka to API p99', value: formatMs(api?.totalP99Ms) },
          { name: 'bridge lag', value: formatKnown(bridge?.lag) },
          {
            name: worst ? `worst lag, ${worst.name}` : 'worst lag',
            value: formatKnown(worst?.lag ?? 0),
            tone: hops.some((hop) => moodOf(hop) === 'behind') ? 'warn' : undefined,
          },
          {
            name: 'servers',
            value: down.length === 0 ? `${health.length} of ${health.length}` : `${down.length} down`,
            tone: down.length > 0 ? 'bad' : undefined,
          },
        ]}
      />
    </section>
  )
}
