import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { manualFeed, renderWith } from '@/features/market/testing'
import { fakeApi, Refusal } from '@/shared/test/fakeApi'
import { type FunctionView, remember, span } from './data'
import { FunctionsScreen } from './FunctionsScreen'
import { ownersOf, standingOf } from './standing'

const now = '2026-03-02T14:00:00Z'

function view(name: string, given: Partial<FunctionView> = {}): FunctionView {
  const shard = { shard: 0, generation: 1, worker: 'w1', at: now, messages: 9, rate: 3, lag: 0, errors: 0 }
  const more = { deadLetters: 0, facts: 9, keys: 5, stepP50Us: 8, stepP99Us: 20, asleep: false }
  return {
    ...{ name, does: `does ${name}`, reads: 'TICKS', writes: 'RESULTS', kind: 'step', messages: 9, rate: 3 },
    ...{ lag: 0, errors: 0, deadLetters: 0, stepP50Us: 8, stepP99Us: 20, checkpointAgeSeconds: 5 },
    desired: { state: 'running', shards: 1, params: null },
    layout: { generation: 1, shards: 1 },
    shards: [{ ...shard, ...more, checkpoint: now, newestInput: now }],
    workers: [{ id: 'w1', phase: 'running', revision: 0 }],
    ...given,
  }
}

async function open(answers: Record<string, unknown> = {}) {
  const { api, calls } = fakeApi({
    'GET /api/functions': { at: now, functions: [view('candles'), view('archive', { kind: 'sink' })] },
    'GET /api/results/{function}': { function: 'candles', results: [], next: null },
    'GET /api/deadletters': { items: [], next: null },
    ...answers,
  })
  await renderWith(manualFeed(() => new Promise(() => {})).feed, <FunctionsScreen />, api)
  return calls
}

test('a function is opened, paused and scaled', async () => {
  const calls = await open({ 'PATCH /api/functions/{name}': view('candles') })
  await userEvent.click(await screen.findByRole('button', { name: 'candles' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Pause' }))
  expect(await screen.findByText(/candles is to pause/)).toBeInTheDocument()
  expect(calls[0]).toMatchObject({ params: { path: { name: 'candles' } }, body: { state: 'paused' } })
  const shards = screen.getByRole('textbox', { name: 'Shards' })
  await userEvent.clear(shards)
  await userEvent.type(shards, '4')
  await userEvent.click(screen.getByRole('button', { name: 'Scale to 4' }))
  await waitFor(() => expect(calls.at(-1)?.body).toEqual({ shards: 4 }))
})

test('a replay says what it does, and begins only when that was read', async () => {
  const answer = { function: 'candles', id: 'r1', from: now }
  const calls = await open({ 'POST /api/functions/{name}/replay': answer })
  await userEvent.click(await screen.findByRole('button', { name: 'candles' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Replay…' }))
  const start = await screen.findByRole('button', { name: 'Replay from 1h' })
  expect(start).toBeDisabled()
  expect(screen.getByText(/Its state is thrown away/)).toBeInTheDocument()
  await userEvent.click(screen.getByRole('checkbox', { name: /I know what this does/ }))
  await userEvent.click(start)
  expect(await screen.findByText(/is computed anew/)).toBeInTheDocument()
  expect(calls[0]?.body).toEqual({ from: '1h' })
})

test('parameters that are no JSON are not sent; what the server refuses is told', async () => {
  const refusal = new Refusal(422, { detail: 'delay "x": want a duration such as 90s' })
  const calls = await open({ 'PATCH /api/functions/{name}': refusal })
  await userEvent.click(await screen.findByRole('button', { name: 'candles' }))
  const field = await screen.findByLabelText('Parameters as JSON')
  await userEvent.clear(field)
  await userEvent.type(field, '{{"delay":')
  expect(screen.getByRole('button', { name: 'Apply' })).toBeDisabled()
  await userEvent.type(field, '"x"}')
  await userEvent.click(screen.getByRole('button', { name: 'Apply' }))
  expect(await screen.findByText(/want a duration such as 90s/)).toBeInTheDocument()
  expect(calls[0]?.body).toEqual({ params: { delay: 'x' } })
})

test('a sink has no replay and no outputs; a filter finds it', async () => {
  await open()
  await userEvent.type(await screen.findByLabelText('Filter functions'), 'sink')
  expect(screen.queryByRole('button', { name: 'candles' })).not.toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'archive' }))
  await screen.findByRole('button', { name: 'Pause' })
  expect(screen.queryByRole('button', { name: 'Replay…' })).not.toBeInTheDocument()
})

test('an API that cannot be read is told', async () => {
  await open({ 'GET /api/functions': new Refusal(503, { detail: 'NATS does not answer' }) })
  expect(await screen.findByRole('alert', {}, { timeout: 4000 })).toHaveTextContent('NATS does not answer')
})

test('how a function stands follows from what is wanted and what is there', () => {
  const word = (given: Partial<FunctionView>) => standingOf(view('f', given)).word
  const desired = { state: 'running' as const, shards: 1, params: null }
  expect(word({})).toBe('running')
  expect(word({ fault: 'no such parameter' })).toBe('fault')
  expect(word({ desired: { ...desired, state: 'paused' } })).toBe('leaving')
  expect(word({ desired: { ...desired, state: 'paused' }, shards: [] })).toBe('paused')
  expect(word({ desired: { ...desired, shards: 4 } })).toBe('moving')
  expect(word({ workers: [] })).toBe('no worker')
  expect(word({ lag: 50_000 })).toBe('behind')
})

test('what is older than the line is forgotten, and a reading counts once', () => {
  const first = remember(undefined, 1000, [view('f')])
  const second = remember(first, 1000, [view('f', { rate: 5 })])
  expect(second.get('f')?.rate).toEqual([{ at: 1000, value: 5 }])
  const later = remember(second, 1000 + span, [view('f')])
  expect(later.get('f')?.rate).toHaveLength(1)
})

test('what was measured before the page came is in the line, and comes in only where it knows nothing', () => {
  const history = [998, 1003, 1008].map((at) => ({
    at: new Date(at).toISOString(),
    rate: at,
    lag: at === 998 ? null : 2,
  }))
  const first = remember(undefined, 1010, [view('f', { history })])
  expect(first.get('f')?.rate.map(({ at }) => at)).toEqual([998, 1003, 1008, 1010])
  expect(first.get('f')?.lag.map(({ at }) => at)).toEqual([1003, 1008, 1010])
  const later = [...history, { at: new Date(1013).toISOString(), rate: 7, lag: null }]
  const back = remember(first, 1015, [view('f', { history: later, lag: null })])
  expect(back.get('f')?.rate.map(({ at }) => at)).toEqual([998, 1003, 1008, 1010, 1013, 1015])
  expect(back.get('f')?.lag.map(({ at }) => at)).toEqual([1003, 1008, 1010])
})

test('who waits for the first message has no owner yet; what is stopped, or has no worker, has none', () => {
  expect(ownersOf(view('f'))).toBe('w1')
  expect(ownersOf(view('f', { shards: [] }))).toBe('none yet')
  expect(ownersOf(view('f', { shards: [], workers: [] }))).toBe('nobody')
  const desired = { state: 'stopped', shards: 1, params: null } as const
  expect(ownersOf(view('f', { shards: [], desired }))).toBe('nobody')
})
