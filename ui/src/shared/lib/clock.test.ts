import { expect, test } from 'vitest'
import { ServerClock, utcDay } from './clock'

test('the sample that waited least is believed', () => {
  let local = 1_000_000
  const clock = new ServerClock(() => local)
  expect(clock.now()).toBe(local)
  clock.observe(local + 60_000 - 400)
  clock.observe(local + 60_000 - 20)
  clock.observe(local + 60_000 - 900)
  expect(clock.offset).toBe(59_980)
  local += 5_000
  expect(clock.now()).toBe(local + 59_980)
})

test('a sample from before the clock was set is forgotten', () => {
  let local = 0
  const clock = new ServerClock(() => local)
  clock.observe(local + 3_600_000)
  for (let i = 0; i < 14; i++) {
    local += 5_000
    clock.observe(local - 10)
  }
  expect(clock.offset).toBe(-10)
})

test('what is no time is not taken', () => {
  const clock = new ServerClock(() => 0)
  clock.observe(Number.NaN)
  expect(clock.offset).toBe(0)
})

test('days begin at midnight UTC', () => {
  const midnight = Date.parse('2026-01-02T00:00:00Z')
  expect(utcDay(midnight)).toBe(utcDay(midnight - 1) + 1)
})
