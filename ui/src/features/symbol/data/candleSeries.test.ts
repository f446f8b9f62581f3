import { expect, test } from 'vitest'
import { type Bar, streamedBar } from './bar'
import { CandleSeries, type SeriesChange } from './candleSeries'

const bar = (time: number, given: Partial<Bar> = {}): Bar => ({
  ...{ time, open: 1, high: 2, low: 1, close: 2, volume: 10, trades: 1, closed: false, amended: 0 },
  ...given,
})

function manualSeries() {
  let due: (() => void) | undefined
  const series = new CandleSeries((flush) => {
    due = flush
  })
  const changes: SeriesChange[] = []
  series.onChange((change) => changes.push(change))
  const frame = () => {
    const flush = due
    due = undefined
    flush?.()
    return changes.splice(0)
  }
  return { series, frame }
}

test('a candle grows, closes, and the next one follows: a frame tells what changed', () => {
  const { series, frame } = manualSeries()
  series.addPage([bar(60), bar(120, { trades: 3 })])
  expect(frame()).toEqual([{ all: true }])
  for (let trades = 4; trades < 9; trades++) series.apply(bar(120, { trades, close: trades }))
  series.apply(bar(180))
  expect(frame()).toEqual([{ all: false, bars: [bar(120, { trades: 8, close: 8 }), bar(180)] }])
})

test('a view that comes late takes nothing back', () => {
  const { series, frame } = manualSeries()
  series.apply(bar(60, { trades: 9, closed: true }))
  frame()
  series.apply(bar(60, { trades: 8 }))
  expect(series.at(60)?.trades).toBe(9)
  expect(frame()).toEqual([])
})

test('a late tick amends a closed candle, and may make one between others', () => {
  const { series, frame } = manualSeries()
  series.addPage([60, 180, 240].map((time) => bar(time, { closed: true })))
  frame()
  series.apply(bar(180, { closed: true, trades: 2, amended: 1 }))
  expect(frame()).toMatchObject([{ all: false, bars: [{ time: 180, amended: 1 }] }])
  series.apply(bar(120, { closed: true, amended: 1 }))
  expect(frame()).toEqual([{ all: true }])
  expect(series.all.map(({ time }) => time)).toEqual([60, 120, 180, 240])
})

test('older pages go before, and what came live stays the newer one', () => {
  const { series } = manualSeries()
  series.apply(bar(120, { trades: 5 }))
  series.addPage([bar(60), bar(120, { trades: 3 })])
  expect(series.all.map(({ time, trades }) => [time, trades])).toEqual([
    [60, 1],
    [120, 5],
  ])
})

test('what is no candle is not taken', () => {
  expect(streamedBar(null)).toBeNull()
  expect(streamedBar({ start: 'never', open: 1 })).toBeNull()
  const data = { start: '2026-01-02T15:00:00Z', open: 1, high: 2, low: 1, close: 2, volume: 3, trades: 4 }
  expect(streamedBar({ ...data, closed: true })).toMatchObject({ time: 1_767_366_000, amended: 0 })
})
