import { expect, test } from 'vitest'
import {
  formatAge,
  formatChange,
  formatMillis,
  formatPercent,
  formatPrice,
  formatShort,
  formatVolume,
  setNumberLocale,
  unknown,
} from './format'

test('prices keep the decimals that their size needs', () => {
  expect(formatPrice(187.2)).toBe('187.20')
  expect(formatPrice(64_210.5)).toBe('64,210.50')
  expect(formatPrice(0.1234)).toBe('0.1234')
  expect(formatPrice(0.00001234)).toBe('0.00001234')
  expect(formatPrice(-0.0288)).toBe('−0.0288')
  expect(formatPrice(null)).toBe(unknown)
})

test('a change carries its sign, and none when it rounds to nothing', () => {
  expect(formatChange(1.234, 100)).toBe('+1.23')
  expect(formatChange(-1.235, 100)).toMatch(/^−1\.2[34]$/)
  expect(formatChange(0.001, 100)).toBe('0.00')
  expect(formatChange(-0.0012, 0.5)).toBe('−0.0012')
  expect(formatPercent(-0.664)).toBe('−0.66%')
  expect(formatPercent(0)).toBe('0.00%')
})

test('volumes and ages are short', () => {
  expect(formatVolume(1_234_567)).toBe('1.23M')
  expect(formatVolume(804_000)).toBe('804.00K')
  expect(formatVolume(12)).toBe('12')
  expect(formatAge(9_999)).toBe('9s')
  expect(formatAge(-500)).toBe('0s')
  expect(formatAge(61_000)).toBe('1m')
  expect(formatAge(7_200_000)).toBe('2h')
  expect(formatAge(3 * 86_400_000)).toBe('3d')
})

test('a count is short where there is little room', () => {
  expect([9_999, 138_628, 1_250_000, null].map(formatShort)).toEqual(['9,999', '139K', '1.25M', '–'])
})

test('how long something took is said in the unit that suits it, as the settings write numbers', () => {
  expect([0.42, 12, 999.4, 1234, 71_300].map(formatMillis)).toEqual([
    '0.4 ms',
    '12 ms',
    '999 ms',
    '1.2 s',
    '71.3 s',
  ])
  expect([210_000, 26 * 3_600_000, null].map(formatMillis)).toEqual(['3.5 min', '26 h', '–'])
  setNumberLocale('de-DE')
  expect(formatMillis(1234)).toBe('1,2 s')
  setNumberLocale('en-US')
})
