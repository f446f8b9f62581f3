import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { manualFeed, renderWith, tick } from '@/features/market/testing'
import { fakeApi } from '@/shared/test/fakeApi'
import { InspectorScreen } from './InspectorScreen'
import { barsOf, readPosition } from './journey/data'
import { capacity, type Kind, kinds, LogStore } from './log/logStore'

const at = '2026-03-02T14:00:00Z'
const journey = {
  position: 'stock_ticks/0/7',
  symbol: 'AAPL',
  subject: 'ticks.AAPL',
  sequence: 9,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  tick: { symbol: 'AAPL', price: 1 },
  hops: [
    { name: 'kafka', at, afterMs: null, totalMs: 0 },
    { name: 'bridge', at, afterMs: 4, totalMs: 4, since: 'kafka' },
    { name: 'candles', at, afterMs: 2, totalMs: 6, since: 'bridge' },
  ],
  results: [
    ...[{ subject: 'candles.1m.AAPL', kind: 'fact', exact: true, cause: 'stock_ticks/0/7', sequence: 3, at }],
  ].map((result) => ({ ...result, afterMs: 8, data: { close: 1 }, output: 'candles.x/0/1' })),
  missing: ['archive: not stored yet'],
}

async function open() {
  const { api } = fakeApi({ 'GET /api/journey/{topic}/{partition}/{offset}': journey })
  const manual = manualFeed(() => new Promise(() => {}))
  await renderWith(manual.feed, <InspectorScreen />, api)
  manual.phase('live')
  return manual
}

const message = (symbol: string, seq: number) => ({ ...tick(symbol, seq, 100), position: 'stock_ticks/0/7' })

test('messages stand in the log, are filtered and paused', async () => {
  const { deliver } = await open()
  deliver(message('AAPL', 1), message('BRK.B', 2))
  expect(await screen.findByRole('button', { name: 'ticks.AAPL' })).toBeInTheDocument()
  await userEvent.type(screen.getByLabelText('Symbol or key'), 'brk.b')
  expect(screen.queryByRole('button', { name: 'ticks.AAPL' })).not.toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'ticks.BRK.B' })).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Pause' }))
  deliver(message('BRK.B', 3))
  expect(await screen.findByText(/1 shown, 1 passed by/)).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Clear' }))
  expect(await screen.findByText('Paused')).toBeInTheDocument()
})

test('a message shows what it holds, and its journey as a waterfall', async () => {
  const { deliver } = await open()
  deliver({ ...message('AAPL', 1), hops: { kafka: 1000, bridge: 1004, api: 1010 } })
  await userEvent.click(await screen.findByRole('button', { name: 'ticks.AAPL' }))
  expect(screen.getByRole('region', { name: 'Payload' })).toHaveTextContent('"price": 100')
  await userEvent.click(screen.getByRole('button', { name: 'Its journey' }))
  const waterfall = await screen.findByRole('table', { name: 'Waterfall of the hops' })
  expect(within(waterfall).getByRole('row', { name: /bridge\s*after kafka/ })).toHaveTextContent('4.0 ms')
  expect(screen.getByText('archive: not stored yet')).toBeInTheDocument()
  expect(screen.getByText(journey.traceId)).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'candles.1m.AAPL' }))
  expect(screen.getByRole('region', { name: 'candles.1m.AAPL' })).toHaveTextContent('"close": 1')
})

test('a place that is none is told', async () => {
  await open()
  await userEvent.type(screen.getByLabelText('Place in Kafka'), 'nowhere{Enter}')
  expect(await screen.findByText('This is no place in Kafka')).toBeInTheDocument()
})

const all: ReadonlySet<Kind> = new Set(kinds)
const every = { symbol: '', text: '', views: true }

test('the log holds the newest ten thousand', () => {
  const store = new LogStore()
  for (let seq = 1; seq <= capacity * 1.5; seq++) store.add([tick('A', seq, seq)], seq)
  const shown = store.select(every, all)
  expect(shown).toHaveLength(capacity)
  expect(shown[0]?.message.seq).toBe(capacity * 1.5)
})

test('the log leaves out snapshots, and results that still grow where they are not wanted', () => {
  const store = new LogStore()
  const candle = { subject: 'candles.1m.A', seq: 2, data: { close: 77 } }
  store.add([{ ...tick('A', 1, 1), snapshot: true }, { ...candle, view: true }, candle], 5)
  expect(store.select(every, all)).toHaveLength(2)
  expect(store.select({ ...every, views: false }, all)).toHaveLength(1)
  expect(store.select({ ...every, text: ':77' }, all)).toHaveLength(2)
  expect(store.select(every, new Set<Kind>(['ticks']))).toHaveLength(0)
})

test('places are read, and hops become bars from the hop that they came from', () => {
  expect(readPosition(' stock_ticks/2/77 ')).toEqual({ topic: 'stock_ticks', partition: 2, offset: 77 })
  expect(readPosition('stock_ticks/2')).toBeNull()
  expect(barsOf(journey.hops).map(({ start, end }) => [start, end])).toEqual([
    [0, 0],
    [0, 4],
    [4, 6],
  ])
})
