import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { manualFeed, renderWith } from '@/features/market/testing'
import { fakeApi } from '@/shared/test/fakeApi'
import { type Hop, type PipelineReading, withNews } from './data'
import { flowsThrough } from './diagram/Diagram'
import { joinEdges, layOut, linePath } from './diagram/layout'
import { type Letter, sayResults } from './letters/data'
import { PipelineScreen } from './PipelineScreen'

const at = '2026-03-02T14:00:05Z'

function hop(name: string, rate: number, lag: number): Hop {
  return { name, rate, lag, p50Ms: 1, p99Ms: 2, totalP50Ms: 3, totalP99Ms: 4, samples: 9 }
}

const stage = (name: string) => ({ name, does: `does ${name}`, reads: [], writes: [] })
const reading: PipelineReading = {
  at,
  stages: ['simulate', 'bridge', 'candles', 'api'].map(stage),
  edges: [
    { from: 'simulate', to: 'bridge', via: 'topic:stock_ticks' },
    { from: 'bridge', to: 'candles', via: 'stream:TICKS' },
    { from: 'bridge', to: 'api', via: 'stream:TICKS' },
    { from: 'candles', to: 'api', via: 'stream:CANDLES' },
    { from: 'candles', to: 'api', via: 'table:candles' },
  ],
  hops: [hop('bridge', 3, 0), hop('candles', 3, 0), hop('api', 3, 0)],
  health: [{ name: 'kafka', ok: false, latencyMs: 3, error: 'connection refused' }],
  healthAt: at,
  faults: [{ part: 'postgres', error: 'timeout' }],
  streams: null,
  throughput: [{ at: '2026-03-02T14:00:04Z', perSecond: 3 }],
}

const letter: Letter = {
  ...{
    id: 5,
    topic: 'events',
    partition: 0,
    offset: 3,
    reason: 'missing_field',
    detail: 'event_id is missing',
  },
  ...{ key: 'AAPL', valueText: '{"price":1}', valueBase64: null, valueBytes: 11, truncated: false },
  ...{ headers: [], history: [], state: 'open', produced: at, time: at },
}

async function open(answers: Record<string, unknown> = {}) {
  const { api, calls } = fakeApi({
    'GET /api/pipeline': reading,
    'GET /api/deadletters': { items: [letter], next: null },
    'GET /api/deadletters/{id}': letter,
    ...answers,
  })
  const manual = manualFeed(() => new Promise(() => {}))
  await renderWith(manual.feed, <PipelineScreen />, api)
  await screen.findByRole('region', { name: 'Way of a tick' })
  return { ...manual, calls }
}

test('the diagram is laid out from the topology, and a part says what it is joined to', async () => {
  const { deliver } = await open()
  const part = screen.getByRole('button', { name: /^candles/ })
  expect(part).toHaveTextContent('3.0/s')
  await userEvent.click(part)
  const about = screen.getByRole('region', { name: 'About candles' })
  expect(about).toHaveTextContent('candles → stream CANDLES, table candles → api')
  const hops = [hop('bridge', 3, 0), hop('candles', 3, 90_000)]
  deliver({ subject: 'pipeline', seq: 1, data: { at: '2026-03-02T14:00:06Z', perSecond: 7, hops } })
  await waitFor(() => expect(part).toHaveTextContent('candles behind'))
})

test('the diagram has a table beside it, and what is wrong is told', async () => {
  await open()
  expect(screen.getByText('connection refused')).toBeInTheDocument()
  expect(screen.getByText('postgres: timeout')).toBeInTheDocument()
  expect(screen.getByText('NATS does not answer')).toBeInTheDocument()
  await userEvent.click(within(screen.getByRole('radiogroup', { name: 'Way as' })).getByText('Table'))
  const table = await screen.findByRole('table', { name: 'Parts of the system' })
  expect(within(table).getAllByRole('row')).toHaveLength(5)
})

test('a dead letter is looked at, corrected and replayed', async () => {
  const results = [{ id: 5, already: false, state: 'replayed', position: 'events/0/9' }]
  const { calls } = await open({ 'POST /api/deadletters/replay': { done: 1, failed: 0, results } })
  await userEvent.click(await screen.findByRole('button', { name: 'events/0/3' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Correct…' }))
  const value = screen.getByLabelText('Corrected value')
  await userEvent.clear(value)
  await userEvent.type(value, '{{"price":2}')
  await userEvent.click(screen.getByRole('button', { name: 'Replay corrected' }))
  expect(await screen.findByText('1 replayed to events/0/9.')).toBeInTheDocument()
  expect(calls[0]?.body).toEqual({ ids: [5], value: '{"price":2}' })
})

test('dead letters are discarded with a reason', async () => {
  const results = [{ id: 5, already: false, state: 'discarded' }]
  const { calls } = await open({ 'POST /api/deadletters/discard': { done: 1, failed: 0, results } })
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Pick events/0/3' }))
  await userEvent.click(screen.getByRole('button', { name: 'Discard 1' }))
  const sure = await screen.findByRole('button', { name: 'Discard' })
  expect(sure).toBeDisabled()
  await userEvent.type(screen.getByLabelText('Why'), 'a test')
  await userEvent.click(sure)
  expect(await screen.findByText('1 discarded.')).toBeInTheDocument()
  expect(calls[0]?.body).toEqual({ ids: [5], reason: 'a test' })
})

test('a node stands right of all that lead to it; a long line passes through a lane', () => {
  const ways = joinEdges(reading.edges)
  expect(ways).toHaveLength(4)
  const { places, lines } = layOut(['simulate', 'bridge', 'candles', 'api'], ways)
  const x = Object.fromEntries(places.map(({ name, x }) => [name, x]))
  expect([x.simulate, x.bridge, x.candles, x.api]).toEqual([0, 226, 452, 678])
  const long = lines.find(({ from, to }) => from === 'bridge' && to === 'api')
  expect(long?.points).toHaveLength(4)
  expect(linePath(long?.points ?? [])).toMatch(/^M416 .*678 [\d.]+$/)
  const around = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ].map((way) => ({ ...way, vias: [] }))
  expect(layOut(['a', 'b'], around).places).toHaveLength(2)
})

test('a way flows where something goes through it, not where its ends are busy with other things', () => {
  const busy: PipelineReading = {
    ...reading,
    stages: [
      ...['bridge', 'candles', 'alerts', 'api', 'ui'].map(stage),
      { ...stage('notify'), reads: ['stream:ALERTS'] },
    ],
    hops: [hop('bridge', 3, 0), hop('alerts', 3, 0), hop('notify', 0, 0), hop('api', 3, 0)],
  }
  const flows = (from: string, to: string, via: string) => flowsThrough({ from, to, vias: [via] }, busy)
  expect(flows('bridge', 'api', 'stream:TICKS')).toBe(true)
  expect(flows('api', 'ui', 'ws')).toBe(true)
  expect(flows('alerts', 'notify', 'stream:ALERTS')).toBe(false)
  expect(flows('alerts', 'api', 'stream:ALERTS')).toBe(false)
  expect(flows('candles', 'ui', 'nothing that is measured')).toBe(false)
})

test('news add their second once; old news change nothing', () => {
  const news = { at: '2026-03-02T14:00:06Z', perSecond: 7, hops: [] }
  const once = withNews(reading, news)
  expect(once.throughput.map(({ perSecond }) => perSecond)).toEqual([3, 7])
  expect(withNews(once, news)).toBe(once)
})

test('what was done is said in one sentence', () => {
  const results = [{ id: 1, already: false, error: 'it is being replayed' }]
  expect(sayResults('replayed', { done: 2, failed: 1, results })).toBe(
    '2 replayed. 1 not replayed: it is being replayed',
  )
})
