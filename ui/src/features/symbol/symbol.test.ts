import { expect, test } from 'vitest'
import { isBehind } from './chart/Behind'
import { planStudies, withLevels } from './chart/studies'
import { type Formula, joinSpecs, parseSpecs, valueName, writeSpec } from './data/specs'
import { exportUrl } from './export'
import { atPrice, readPriceRule } from './rules/priceRule'
import { readSymbolSearch } from './search'

const formula = (name: string, unit: string, names: string[], ...defaults: number[]) =>
  ({
    ...{ name, unit, names, title: name, spec: name, text: '', warmUp: 1, source: '' },
    params: defaults.map((value, at) => ({ name: `p${at}`, default: value, min: 1, max: 100, whole: true })),
  }) as Formula

const formulas = [
  formula('sma', 'price', ['sma_20'], 20),
  formula('bollinger', 'price', ['bollinger_20_2', 'bollinger_20_2.upper', 'bollinger_20_2.lower'], 20, 2),
  formula('macd', 'price', ['macd_12_26_9', 'macd_12_26_9.signal', 'macd_12_26_9.histogram'], 12, 26, 9),
  formula('rsi', '0 to 100', ['rsi_14'], 14),
]

test('an address keeps what is good and leaves out what is not', () => {
  const search = { interval: '5m', range: 'x', style: 'line', ind: 'sma(20)', cmp: 7 }
  expect(readSymbolSearch(search)).toEqual({ interval: '5m', style: 'line', ind: 'sma(20)' })
})

test('specs are a list in the address, each once', () => {
  expect(parseSpecs('sma(20);; rsi(14);sma(20)')).toEqual(['sma(20)', 'rsi(14)'])
  expect(joinSpecs([])).toBeUndefined()
  expect(writeSpec('vwap', [])).toBe('vwap')
})

test('values have the name of their spec with all its numbers', () => {
  expect(valueName('macd(5)', formulas)).toBe('macd_5_26_9')
  expect(valueName('bollinger(20,2.5)', formulas)).toBe('bollinger_20_2.5')
})

test('what is measured in prices lies over them, the rest has panes in its order', () => {
  const studies = planStudies(['sma(50)', 'rsi(14)', 'none(1)', 'macd(12,26,9)', 'bollinger(20,2)'], formulas)
  expect(studies.map(({ spec, pane }) => [spec, pane])).toEqual([
    ['sma(50)', 0],
    ['rsi(14)', 1],
    ['macd(12,26,9)', 2],
    ['bollinger(20,2)', 0],
  ])
  expect(studies[2]?.lines.map(({ name, kind }) => [name, kind])).toEqual([
    ['macd_12_26_9', 'line'],
    ['macd_12_26_9.signal', 'line'],
    ['macd_12_26_9.histogram', 'histogram'],
  ])
  expect(studies[3]?.lines.map(({ dashed }) => dashed)).toEqual([false, true, true])
})

test('a rule of one price can be moved, another one cannot', () => {
  const rule = readPriceRule('Price crosses above 200.5')
  expect(rule?.price).toBe(200.5)
  expect(rule && atPrice(rule, 199)).toBe('Price crosses above 199')
  expect(readPriceRule('price >= 7')).toMatchObject({ price: 7 })
  expect(readPriceRule('rsi(14) > 70')).toBeNull()
  expect(readPriceRule('price > 200 and rsi(14) < 70')).toBeNull()
  expect(readPriceRule('price > 2x sma(20)')).toBeNull()
})

test('an export is of what is in sight', () => {
  expect(exportUrl('BRK.B', '1m', 'csv', { from: 0, to: 60 })).toBe(
    '/api/stocks/BRK.B/candles.csv?interval=1m&from=1970-01-01T00%3A00%3A00.000Z&to=1970-01-01T00%3A02%3A00.000Z',
  )
})

test('candles are behind when trades came that none of them holds', () => {
  const candle = 1_000_000
  const after = (seconds: number) => (candle + seconds) * 1000
  expect(isBehind(after(59), candle, '1m')).toBe(false)
  expect(isBehind(after(140), candle, '1m')).toBe(false)
  expect(isBehind(after(151), candle, '1m')).toBe(true)
  expect(isBehind(after(151), candle, '1h')).toBe(false)
  expect(isBehind(null, candle, '1m')).toBe(false)
  expect(isBehind(after(1e6), undefined, '1m')).toBe(false)
})

test('the levels of an oscillator are in sight, however near to one of them it stays', () => {
  const seen = (minValue: number, maxValue: number) =>
    withLevels([30, 70])(() => ({ priceRange: { minValue, maxValue } }))?.priceRange
  expect(seen(45, 52)).toEqual({ minValue: 30, maxValue: 70 })
  expect(seen(12, 52)).toEqual({ minValue: 12, maxValue: 70 })
  expect(withLevels([30])(() => null)).toBeNull()
})
