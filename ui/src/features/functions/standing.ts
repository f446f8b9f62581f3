import type { Tone } from '@/shared/ops/pieces'
import type { FunctionView } from './data'

export interface Standing {
  tone: Tone
  word: string
  /** what there is to know beside the word */
  detail: string
}

/** How a function stands, beside what is wanted of it. */
export function standingOf(view: FunctionView): Standing {
  const { state, shards: wanted } = view.desired
  const fault = view.fault ?? view.workers.find((worker) => worker.fault)?.fault
  if (fault) return { tone: 'bad', word: 'fault', detail: fault }
  const owned = view.shards.filter(({ worker }) => worker).length
  if (state !== 'running') {
    if (owned === 0) return { tone: 'rest', word: state, detail: 'It keeps its place, and goes on there.' }
    return {
      tone: 'warn',
      word: 'leaving',
      detail: `It is to be ${state}: ${owned} of its shards still run.`,
    }
  }
  if (view.workers.length === 0)
    return { tone: 'bad', word: 'no worker', detail: 'No worker knows it: start one with streamflow worker.' }
  if (view.layout.shards !== wanted && view.layout.generation > 0)
    return { tone: 'warn', word: 'moving', detail: `From ${view.layout.shards} shards to ${wanted}.` }
  const asleep = view.shards.length > 0 && view.shards.every((shard) => shard.asleep)
  if (asleep) return { tone: 'rest', word: 'asleep', detail: 'It has nothing to do; what comes wakes it.' }
  if (owned < wanted && (view.lag ?? 0) > 0)
    return { tone: 'warn', word: 'starting', detail: `${owned} of ${wanted} shards have an owner.` }
  if ((view.lag ?? 0) > Math.max(1000, view.rate * 10))
    return { tone: 'warn', word: 'behind', detail: 'More waits than it does in ten seconds.' }
  return { tone: 'good', word: 'running', detail: owned === 0 ? 'It waits for its first message.' : '' }
}

/** Who works on the shards, in few words. One that waits for its first message has no owner until it comes. */
export function ownersOf(view: FunctionView): string {
  const owners = [...new Set(view.shards.flatMap(({ worker }) => worker ?? []))]
  if (owners.length === 0)
    return view.desired.state === 'running' && view.workers.length > 0 ? 'none yet' : 'nobody'
  return owners.length === 1 ? (owners[0] ?? '') : `${owners.length} workers`
}
