import { VisuallyHidden } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { formatShort } from '@/shared/lib/format'
import { formatKnown, formatMs, formatRate, formatRateShort } from '@/shared/ops/numbers'
import type { Hop, PipelineReading, Stage } from '../data'
import classes from './Diagram.module.css'
import { joinEdges, type Line, layOut, linePath, type Place, sizes, type Way } from './layout'

/** The way of a tick, laid out from the topology: each part with what it does now. */
export function Diagram({ reading }: { reading: PipelineReading }) {
  const { stages, edges, hops } = reading
  // The topology is the same in every reading: only its text says whether it is to be laid out anew.
  const shape = JSON.stringify([stages.map(({ name }) => name), edges])
  const layout = useMemo(() => {
    const [names, all] = JSON.parse(shape) as [string[], typeof edges]
    return layOut(names, joinEdges(all))
  }, [shape])
  const [selected, select] = useState<string | null>(null)
  const hopOf = (name: string) => hops.find((hop) => hop.name === name)
  const stage = stages.find(({ name }) => name === selected)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className={classes.scroll} aria-label="Diagram of the parts" tabIndex={0}>
        <div className={classes.canvas} style={{ width: layout.width, height: layout.height }}>
          <svg className={classes.lines} width={layout.width} height={layout.height} aria-hidden="true">
            {layout.lines.map((line) => (
              <FlowLine
                key={`${line.from} ${line.to}`}
                line={line}
                flows={flowsThrough(line, reading)}
                tone={selected === null ? 'plain' : touches(line, selected) ? 'near' : 'far'}
              />
            ))}
          </svg>
          {layout.places.map((place) => (
            <Part
              key={place.name}
              place={place}
              hop={hopOf(place.name)}
              selected={selected === place.name}
              select={() => select(selected === place.name ? null : place.name)}
            />
          ))}
        </div>
      </section>
      {stage && <PartNotes stage={stage} hop={hopOf(stage.name)} lines={layout.lines} />}
    </>
  )
}

function touches({ from, to }: Line, name: string): boolean {
  return from === name || to === name
}

function FlowLine({ line, flows, tone }: { line: Line; flows: boolean; tone: string }) {
  const path = linePath(line.points)
  return (
    <g data-tone={tone}>
      <path d={path} className={classes.line} />
      {flows && <path d={path} className={classes.flow} />}
    </g>
  )
}

/**
 * Whether something goes this way. Who reads nothing but one place says how much
 * comes through it; of who reads many, such as the API, the rate says nothing of one.
 */
export function flowsThrough({ from, to, vias }: Way, { stages, hops }: PipelineReading): boolean {
  const rateOf = (name: string) => hops.find((hop) => hop.name === name)?.rate ?? null
  const ends = [rateOf(from), rateOf(to)].filter((rate) => rate !== null)
  if (ends.length === 0 || ends.some((rate) => rate <= 0)) return false
  return vias.some((via) => {
    const told = stages
      .filter(({ reads }) => reads.length === 1 && reads[0] === via)
      .flatMap(({ name }) => rateOf(name) ?? [])
    return told.length === 0 || told.some((rate) => rate > 0)
  })
}

/** idle, busy, or behind: more waits than it does in ten seconds. */
export function moodOf(hop: Hop | undefined): 'outside' | 'idle' | 'busy' | 'behind' {
  if (!hop) return 'outside'
  const { lag, rate } = hop
  if ((lag ?? 0) > Math.max(1000, (rate ?? 0) * 10)) return 'behind'
  return (rate ?? 0) > 0 ? 'busy' : 'idle'
}

interface PartProps {
  place: Place
  hop: Hop | undefined
  selected: boolean
  select: () => void
}

function Part({ place: { name, x, y }, hop, selected, select }: PartProps) {
  const mood = moodOf(hop)
  return (
    <button
      type="button"
      className={classes.part}
      data-mood={mood}
      aria-pressed={selected}
      style={{ left: x, top: y, width: sizes.width, height: sizes.height }}
      onClick={select}
    >
      <span className={classes.head}>
        <span className={classes.name}>{name}</span>
        {mood === 'behind' && (
          <span className={classes.behind} title="Behind: more waits than it does in ten seconds">
            <IconAlertTriangle size={13} aria-hidden />
            <VisuallyHidden> behind</VisuallyHidden>
          </span>
        )}
      </span>
      {hop ? (
        <span className={classes.figures}>
          <span title={formatRate(hop.rate)}>{formatRateShort(hop.rate)}</span>
          <span title={`${formatKnown(hop.lag)} wait`}>lag {formatShort(hop.lag)}</span>
          <span>p99 {formatMs(hop.p99Ms)}</span>
        </span>
      ) : (
        <span className={classes.figures}>not measured here</span>
      )}
    </button>
  )
}

/** What a part is, and through which places it is joined to the others. */
function PartNotes({ stage, hop, lines }: { stage: Stage; hop: Hop | undefined; lines: readonly Line[] }) {
  const ways = lines.filter((line) => touches(line, stage.name))
  return (
    <section className={classes.notes} aria-label={`About ${stage.name}`}>
      <p>
        <b>{stage.name}</b> {stage.does}.{stage.durable && ` Reads by the durable ${stage.durable}.`}
        {stage.group && ` Reads by the group ${stage.group}.`}
        {stage.room && ` Its code is in ${stage.room}.`}
      </p>
      {hop && (
        <p>
          {formatRate(hop.rate)}, {formatKnown(hop.lag)} wait; {hop.from ? `since ${hop.from}` : 'latency'}{' '}
          p50 {formatMs(hop.p50Ms)}, p99 {formatMs(hop.p99Ms)}; since the tick was produced p50{' '}
          {formatMs(hop.totalP50Ms)}, p99 {formatMs(hop.totalP99Ms)} ({hop.samples} samples).
        </p>
      )}
      <ul>
        {ways.map(({ from, to, vias }) => (
          <li key={`${from} ${to}`}>
            {from} → {vias.map((via) => via.replace(':', ' ')).join(', ')} → {to}
          </li>
        ))}
      </ul>
    </section>
  )
}
