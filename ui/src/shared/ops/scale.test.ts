import { expect, test } from 'vitest'
import { niceTop, scaleOf } from './scale'

const end = 1_000_000
const sample = (ago: number, value: number) => ({ at: end - ago * 1000, value })

test('a catch-up does not flatten what comes after it', () => {
  const cut = sample(200, 21_000)
  expect(scaleOf([cut, sample(30, 3), sample(0, 4)], end)).toEqual({ top: 6, cut })
  expect(scaleOf([sample(200, 60), sample(30, 3), sample(0, 4)], end)).toEqual({ top: 60 })
  expect(scaleOf([cut, sample(30, 0), sample(0, 0)], end)).toEqual({ top: 21_000 })
  expect(scaleOf([], end)).toEqual({ top: 0 })
})

test('an axis ends at a round number', () => {
  expect([0, 3, 10, 4300].map(niceTop)).toEqual([1, 5, 10, 5000])
})
