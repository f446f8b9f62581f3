import { expect, test } from 'vitest'
import { addMinute, newQuote } from '../stream/quote'
import { answer, manualStore, stock } from '../testing'
import { groupLines } from './lines'
import { sparkPoints } from './sparkline'

function storeOf(...stocks: ReturnType<typeof stock>[]) {
  const { store, frame } = manualStore()
  store.applyBaseline(answer(...stocks), 1, store.record())
  frame()
  return store
}

test('pinned ones stand first, the others by their direction', () => {
  const store = storeOf(
    stock('A', { price: 2, reference: 1 }),
    stock('B', { price: 1, reference: 2 }),
    stock('C', { price: 1, reference: 1 }),
  )
  expect(groupLines(store, ['A', 'B', 'C'], [], 'none')).toEqual([
    { symbol: 'A' },
    { symbol: 'B' },
    { symbol: 'C' },
  ])
  expect(groupLines(store, ['A', 'B', 'C'], ['C', 'gone'], 'direction')).toEqual([
    { heading: 'Pinned', count: 1 },
    { symbol: 'C' },
    { heading: 'Rising', count: 1 },
    { symbol: 'A' },
    { heading: 'Falling', count: 1 },
    { symbol: 'B' },
  ])
})

test('a sparkline has each close at its minute, and holds an hour', () => {
  const quote = newQuote('A')
  for (const [minute, close] of [
    [100, 1],
    [102, 3],
    [101, 2],
    [102, 5],
  ] as const)
    addMinute(quote, minute, close)
  expect(quote.minutes.map(({ close }) => close)).toEqual([1, 2, 5])
  expect(sparkPoints(quote.minutes, 102)).toBe('92.8,19.0 94.4,14.5 96.0,1.0')
  addMinute(quote, 161, 1)
  expect(quote.minutes[0]?.minute).toBe(101)
  expect(sparkPoints([], 1)).toBe('')
  // What is older than the hour is no line of it, however much there is.
  expect(sparkPoints(quote.minutes, 300)).toBe('')
})
