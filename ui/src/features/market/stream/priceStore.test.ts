import { expect, test, vi } from 'vitest'
import { utcDay } from '@/shared/lib/clock'
import { answer, manualStore, stock, tick } from '../testing'
import { age, change, changePercent, isStale, newQuote } from './quote'

const midnight = Date.parse('2026-01-03T00:00:00Z')
const day = utcDay(midnight - 1)
const at = (ms: number) => ({ timestamp: new Date(midnight + ms).toISOString() })

function loaded(...stocks: ReturnType<typeof stock>[]) {
  const { store, frame } = manualStore()
  store.applyBaseline(answer(...stocks), day, store.record())
  frame()
  return { store, frame, quote: (symbol = 'AAPL') => store.get(symbol) ?? newQuote('none') }
}

test('many ticks of a frame are one flush, of the symbols that changed', () => {
  const { store, frame } = manualStore()
  const flushed = vi.fn()
  store.onFlush((dirty) => flushed([...dirty]))
  for (let seq = 1; seq <= 100; seq++) store.applyTick(tick(seq % 2 ? 'AAPL' : 'MSFT', seq, seq))
  expect(flushed).not.toHaveBeenCalled()
  frame()
  frame()
  expect(flushed.mock.calls).toEqual([[['AAPL', 'MSFT']]])
  expect(store.get('AAPL')?.price).toBe(99)
  expect(store.received).toBe(100)
})

test('the list of symbols is a new one only when it grew', () => {
  const { store, frame } = manualStore()
  const grown = vi.fn()
  store.onSymbols(grown)
  store.applyTick(tick('AAPL', 1, 1))
  frame()
  const symbols = store.getSymbols()
  store.applyTick(tick('AAPL', 2, 2))
  frame()
  expect(store.getSymbols()).toBe(symbols)
  expect(grown).toHaveBeenCalledTimes(1)
})

test('the day volume counts each live trade once, and no snapshot', () => {
  const { store, quote } = loaded(stock('AAPL', { seq: 10, dayVolume: 1000, ...at(-2000) }))
  store.applyTick({ ...tick('AAPL', 10, 100, { volume: 50, ...at(-2000) }), snapshot: true })
  store.applyTick(tick('AAPL', 10, 100, { volume: 50, ...at(-2000) }))
  store.applyTick(tick('AAPL', 11, 101, { volume: 7, ...at(-900) }))
  store.applyTick(tick('AAPL', 11, 101, { volume: 7, ...at(-900) }))
  expect(quote()).toMatchObject({ price: 101, seq: 11, dayVolume: 1007 })
})

test('trades between the question and the answer are counted on top of it', () => {
  const { store, quote } = loaded(stock('AAPL', { seq: 10, dayVolume: 1000, ...at(-9000) }))
  const recording = store.record()
  store.applyTick(tick('AAPL', 21, 101, { volume: 5, ...at(-800) }))
  store.applyTick(tick('AAPL', 22, 102, { volume: 3, ...at(-700) }))
  const stocks = [stock('AAPL', { seq: 21, price: 101, dayVolume: 4005, ...at(-800) })]
  store.applyBaseline(answer(...stocks), day, recording)
  expect(quote()).toMatchObject({ price: 102, seq: 22, dayVolume: 4008 })
})

test('a late tick that the answer counts is not counted again', () => {
  const { store, quote } = loaded(
    stock('AAPL', { seq: 10, ...at(-9000) }),
    stock('MSFT', { seq: 11, ...at(-9000) }),
  )
  const recording = store.record()
  store.applyTick(tick('AAPL', 21, 90, { volume: 5, ...at(-60_000) }))
  const stocks = [
    stock('AAPL', { seq: 10, dayVolume: 1012, ...at(-9000) }),
    stock('MSFT', { seq: 23, ...at(-500) }),
  ]
  store.applyBaseline(answer(...stocks), day, recording)
  store.applyTick(tick('AAPL', 22, 91, { volume: 7, ...at(-50_000) }))
  expect(quote().dayVolume).toBe(1012)
  store.applyTick(tick('AAPL', 24, 92, { volume: 1, ...at(-100) }))
  expect(quote().dayVolume).toBe(1013)
})

test('an answer that is behind the stream takes no counted trade back', () => {
  const { store, quote } = loaded(stock('AAPL', { seq: 10, dayVolume: 1000, ...at(-9000) }))
  store.applyTick(tick('AAPL', 11, 101, { volume: 5, ...at(-800) }))
  const stocks = [stock('AAPL', { seq: 10, dayVolume: 1000, ...at(-9000) })]
  store.applyBaseline(answer(...stocks), day, store.record())
  expect(quote()).toMatchObject({ price: 101, dayVolume: 1005 })
})

test('figures that the server does not know stay as they are', () => {
  const { store, quote } = loaded(
    stock('AAPL', { seq: null, reference: null, open: null, dayVolume: null, ...at(-900) }),
  )
  expect(quote()).toMatchObject({ price: 100, reference: null, dayVolume: null })
  store.applyBaseline(
    answer(stock('AAPL', { reference: null, open: 95, dayVolume: 7, ...at(-900) })),
    day,
    store.record(),
  )
  expect(quote()).toMatchObject({ reference: 95, dayVolume: 7 })
})

test('a late tick counts into the volume and does not become the last price', () => {
  const { store, quote } = loaded(stock('AAPL', { seq: 10, price: 100, ...at(-2000) }))
  store.applyTick(tick('AAPL', 11, 90, { volume: 5, ...at(-60_000) }))
  expect(quote()).toMatchObject({ price: 100, dayVolume: 1005 })
})

test('midnight UTC makes the last price the reference and the volume 0', () => {
  const { store, quote } = loaded(
    stock('AAPL', { price: 100, ...at(-2000) }),
    stock('MSFT', { price: 200, ...at(-2000) }),
  )
  store.applyTick(tick('AAPL', 11, 110, { volume: 5, ...at(10) }))
  expect(quote('AAPL')).toMatchObject({ reference: 100, dayVolume: 5 })
  store.applyTick(tick('AAPL', 12, 109, { volume: 70, ...at(-10) }))
  expect(quote('AAPL').dayVolume).toBe(5)
  store.roll(utcDay(midnight))
  expect(quote('AAPL').dayVolume).toBe(5)
  expect(quote('MSFT')).toMatchObject({ reference: 200, dayVolume: 0 })
})

test('a stream that began anew is followed', () => {
  const { store, quote } = loaded(stock('AAPL', { seq: 5000, ...at(-2000) }))
  store.applyTick(tick('AAPL', 5001, 101, at(-900)))
  store.applyTick(tick('AAPL', 3, 102, at(-800)))
  expect(quote().price).toBe(102)
  store.applyTick({ ...tick('AAPL', 1, 103, at(-700)), snapshot: true })
  store.applyTick(tick('AAPL', 2, 104, at(-600)))
  expect(quote().price).toBe(104)
})

test('a new symbol begins its day with its first trade; of another the day is not known', () => {
  const { store, quote } = loaded()
  store.applyTick(tick('NEW', 1, 50, { volume: 4, ...at(-900) }))
  expect(quote('NEW')).toMatchObject({ reference: 50, dayVolume: 4 })
  store.applyTick({ ...tick('OLD', 2, 50, at(-900)), snapshot: true })
  expect(quote('OLD')).toMatchObject({ reference: null, dayVolume: null })
})

test('what is no tick changes nothing', () => {
  const { store } = manualStore()
  store.applyTick(tick('AAPL', 1, Number.NaN))
  store.applyTick(tick('AAPL', 1, 1, { timestamp: 'yesterday' }))
  store.applyBaseline({ ...answer(), stocks: null }, day, store.record())
  expect(store.get('AAPL')).toBeUndefined()
})

test('change, age and staleness of a quote', () => {
  const quote = { ...newQuote('AAPL'), price: 101, reference: 100, time: 50_000 }
  expect([change(quote), changePercent(quote), age(quote, 53_000)]).toEqual([1, 1, 3000])
  expect(age(quote, 49_000)).toBe(0)
  expect(isStale(quote, 59_999, true)).toBe(false)
  expect(isStale(quote, 60_000, true)).toBe(true)
  expect(isStale(quote, 50_000, false)).toBe(true)
  expect(change({ ...quote, reference: null })).toBeNull()
  expect(changePercent({ ...quote, reference: 0 })).toBeNull()
})
