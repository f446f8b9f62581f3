import { expect, test } from 'vitest'
import { trendPath } from './Trend'

const samples = (...seconds: number[]) => seconds.map((second) => ({ at: second * 1000, value: 10 }))
const xs = (path: string) => [...path.matchAll(/[ML]([\d.]+)/g)].map(([, x]) => Number(x))

test('what is known fills the width, from twenty seconds on', () => {
  expect(xs(trendPath(samples(0, 10, 20, 30), 300_000, 90, 20))).toEqual([0, 30, 60, 90])
  expect(xs(trendPath(samples(0, 10), 300_000, 90, 20))).toEqual([45, 90])
  expect(trendPath([], 300_000, 90, 20)).toBe('')
})

test('no more than the span is shown, and a break in what is known is one in the line', () => {
  const path = trendPath(samples(0, 100, 105, 120, 125), 25_000, 100, 20)
  expect(xs(path)).toEqual([0, 20, 80, 100])
  expect(path.match(/M/g)).toHaveLength(2)
})
