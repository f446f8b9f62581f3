import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { manualFeed, renderWith } from '@/features/market/testing'
import { listenToKeys } from '@/shared/shortcuts/shortcuts'
import { fakeApi } from '@/shared/test/fakeApi'
import { joinEvents, type StreamEvent } from './data'
import { brief } from './EventList'
import { EventsScreen } from './EventsScreen'
import { type BucketResult, noResults, recentOf, takeBucket, takeResults, takeWindow } from './results'

const time = '2026-03-02T14:00:00Z'

function bucket(count: number, currency: string, sum: number): BucketResult {
  return {
    ...{ class: 'low', event_id: `e${count}`, type: 'view', price: 5, currency, timestamp: time },
    ...{ count, sum, position: `events/0/${count}` },
  }
}

const login = { user_id: 'u-7', user_email: 'f00dbeef0123', timestamp: time, text: 'User u-7 logged in.' }
const events: StreamEvent[] = [
  ...[{ topic: 'events', type: 'view', subject: 'events.events.view', sequence: 4, position: 'events/0/1' }],
].map((event) => ({ ...event, at: time, data: { user_id: 'u-1', price: 5, currency: 'EUR' } }))

async function open(answer: object = { events, next: null }) {
  const { api } = fakeApi({ 'GET /api/events': answer })
  const manual = manualFeed(() => new Promise(() => {}))
  await renderWith(manual.feed, <EventsScreen />, api)
  return manual
}

test('buckets, windows, logins and events come in live', async () => {
  const { deliver } = await open()
  deliver(
    { subject: 'results.buckets.low', seq: 1, data: bucket(12, 'EUR', 60) },
    {
      subject: 'results.logins.count',
      seq: 2,
      data: { start: time, end: '2026-03-02T14:00:10Z', logins: 9 },
    },
    { subject: 'results.logins.login', seq: 3, data: { ...login, position: 'user-events/0/1' } },
    { subject: 'events.events.purchase', seq: 9, position: 'events/0/2', data: { user_id: 'u-9', price: 7 } },
  )
  expect(await screen.findByText('12')).toBeInTheDocument()
  expect(screen.getByText(/60\.00 EUR/)).toBeInTheDocument()
  expect(screen.getByText('User u-7 logged in.')).toBeInTheDocument()
  expect(screen.getByRole('img', { name: /Logins by window/ })).toBeInTheDocument()
  await userEvent.click(await screen.findByRole('button', { name: 'u-9 · 7' }))
  expect(screen.getByRole('region', { name: 'events.events.purchase' })).toHaveTextContent('"price": 7')
})

test('without anything it says where events come from', async () => {
  await open({ events: [], next: null })
  await waitFor(() => expect(screen.getAllByRole('heading', { name: 'No event yet' })).toHaveLength(2))
  expect(screen.getByText('streamflow simulate events')).toBeInTheDocument()
})

test('a bucket keeps a sum for each currency, and goes back for nobody', () => {
  const first = takeBucket(undefined, bucket(2, 'EUR', 10), 0, true)
  const second = takeBucket(first, bucket(3, 'USD', 4), 1000)
  expect(second.sums).toEqual({ EUR: 10, USD: 4 })
  expect(takeBucket(second, bucket(1, 'EUR', 5), 2000)).toMatchObject({ count: 3, sums: second.sums })
})

test('how fast events come is of the last minute, or of what is known of it', () => {
  let state = takeBucket(undefined, bucket(20, 'EUR', 10), 10_000, true)
  expect(recentOf(state, 13_000)).toEqual({ events: 0, of: 3000 })
  for (const [count, at] of [
    [21, 14_000],
    [25, 14_700],
    [30, 40_000],
  ] as const)
    state = takeBucket(state, bucket(count, 'EUR', 10), at)
  expect(recentOf(state, 41_000)).toEqual({ events: 10, of: 31_000 })
  // Time goes on where nothing comes any more.
  expect(recentOf(state, 80_000)).toEqual({ events: 5, of: 60_000 })
  expect(recentOf(state, 110_000)).toEqual({ events: 0, of: 60_000 })
  // What came while the reader was elsewhere came at times that nobody knows.
  state = takeBucket(state, bucket(500, 'EUR', 10), 120_000, true)
  expect(recentOf(state, 125_000)).toEqual({ events: 0, of: 5000 })
})

test('who comes later knows the sums of all currencies, by the newest result alone', async () => {
  const { deliver } = await open()
  const sums = { USD: 4, EUR: 60, '': 1.5 }
  deliver({ subject: 'results.buckets.low', seq: 1, data: { ...bucket(12, 'EUR', 60), sums } })
  const list = await screen.findByRole('list', { name: 'Sums of low' })
  expect([...list.children].map(({ textContent }) => textContent)).toEqual([
    '1.50 without a currency',
    '60.00 EUR',
    '4.00 USD',
  ])
})

test('a list that is held stays as it is until it is let go, and one that is opened holds it', async () => {
  const { deliver } = await open()
  const come = (seq: number, user: string) =>
    deliver({
      ...{ subject: 'events.events.view', seq, position: `events/0/${seq}` },
      data: { user_id: user, price: 1 },
    })
  await userEvent.click(await screen.findByRole('button', { name: 'u-1 · 5 EUR' }))
  come(10, 'u-held')
  expect(await screen.findByRole('button', { name: 'Resume (1 new)' })).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'u-held · 1' })).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: /Resume/ }))
  expect(screen.getByRole('button', { name: 'u-held · 1' })).toBeInTheDocument()
  const stop = listenToKeys(document)
  await userEvent.keyboard('p')
  stop()
  come(11, 'u-later')
  expect(await screen.findByRole('button', { name: 'Resume (1 new)' })).toBeInTheDocument()
})

test('an amended window takes the place of the one before', () => {
  const window = { start: time, end: time, logins: 3 }
  const later = { ...window, start: '2026-03-02T14:00:10Z' }
  expect(takeWindow([window, later], { ...window, logins: 4 }).map(({ logins }) => logins)).toEqual([4, 3])
})

test('other functions change nothing, and a login counts once', () => {
  const message = { subject: 'results.logins.login', seq: 1, data: { ...login, position: 'p' } }
  const taken = takeResults(noResults, [message, message, { ...message, subject: 'results.spread.A' }], 0)
  expect(taken.logins).toHaveLength(1)
  expect(taken.buckets).toEqual({})
})

test('events are joined by their sequence, and filtered; a brief tells them apart', () => {
  const live = [{ ...(events[0] as StreamEvent), sequence: 5, type: 'login' }, events[0] as StreamEvent]
  expect(joinEvents(live, events, {}).map(({ sequence }) => sequence)).toEqual([5, 4])
  expect(joinEvents(live, events, { type: 'login' })).toHaveLength(1)
  expect(brief({ user_id: 'u', price: 1, currency: 'EUR' })).toBe('u · 1 EUR')
  expect(brief({ a: 1 })).toBe('{"a":1}')
})
