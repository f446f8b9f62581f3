import { expect, test } from 'vitest'
import { unknown } from './format'
import { formatDateTime, formatDay, formatMoment, formatMonthDay } from './time'

test('times are written so that everybody reads them the same', () => {
  const moment = '2026-03-02T14:30:05.123Z'
  expect(formatDateTime(moment)).toBe('2026-03-02 14:30:05')
  expect(formatDay(moment)).toBe('2026-03-02')
  expect(formatMonthDay(moment)).toBe('03-02')
  expect(formatMoment(moment)).toBe('14:30:05.123')
  expect([null, undefined, 'x'].map(formatMonthDay)).toEqual([unknown, unknown, unknown])
})
