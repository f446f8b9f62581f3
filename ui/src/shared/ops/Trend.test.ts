import { expect, test } from 'vitest'
import { trendPath } from './Trend'

const samples = (...seconds: number[]) => seconds.map((second) => ({ at: second * 1000, value: 10 }))
const frame = { span: 300_000, width: 90, height: 20 }
const ys = (path: string) => [...path.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y))
const xs = (path: string) => [...path.matchAll(/[ML]([\d.]+)/g)].map(([, x]) => Number(x))

test('what is known fills the width, from twenty seconds on', () => {
  expect(xs(trendPath(samples(0, 10, 20, 30), frame))).toEqual([0, 30, 60, 90])
  expect(xs(trendPath(samples(0, 10), frame))).toEqual([45, 90])
  expect(trendPath([], frame)).toBe('')
})

test('no more than the span is shown, and a break in what is known is one in the line', () => {
  const path = trendPath(samples(0, 100, 105, 120, 125), { span: 25_000, width: 100, height: 20 })
  expect(xs(path)).toEqual([0, 20, 80, 100])
  expect(path.match(/M/g)).toHaveLength(2)
})

test('a catch-up is cut off, where that is wanted, and what came then is more than a flat line', () => {
  const line = [...samples(0, 5), ...[100, 105].map((second) => ({ at: second * 1000, value: 1 }))]
  const caught = line.map((one, at) => ({ ...one, value: at < 2 ? 5000 : at }))
  const flat = ys(trendPath(caught, frame))
  expect((flat[2] ?? 0) - (flat[3] ?? 0)).toBeLessThan(0.1)
  const cut = ys(trendPath(caught, { ...frame, cut: true }))
  expect(cut.slice(0, 2)).toEqual([1.5, 1.5])
  expect((cut[2] ?? 0) - (cut[3] ?? 0)).toBeGreaterThan(3)
})
