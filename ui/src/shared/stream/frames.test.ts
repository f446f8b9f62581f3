import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Frames, nextFrame, pacedFrames } from './frames'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance', 'requestAnimationFrame', 'cancelAnimationFrame'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('flushes are a pause apart, and the first one is at once', () => {
  const flushes: [at: number, keys: string[]][] = []
  const begin = performance.now()
  const frames = new Frames<string>(
    (dirty) => flushes.push([performance.now() - begin, [...dirty]]),
    pacedFrames(50),
  )
  frames.touch('A')
  vi.advanceTimersByTime(16)
  for (let tick = 0; tick < 200; tick++) {
    frames.touch(tick % 2 ? 'A' : 'B')
    vi.advanceTimersByTime(1)
  }
  expect(flushes[0]).toEqual([16, ['A']])
  const pauses = flushes.slice(1).map(([at], before) => at - (flushes[before]?.[0] ?? 0))
  expect(pauses.length).toBeGreaterThanOrEqual(2)
  for (const pause of pauses) {
    expect(pause).toBeGreaterThanOrEqual(50)
    expect(pause).toBeLessThanOrEqual(67)
  }
  expect(flushes.slice(1).every(([, keys]) => keys.length === 2)).toBe(true)
})

test('a page that nobody sees, and has no frames, is flushed by a timer, once', () => {
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(false)
  const flush = vi.fn()
  nextFrame(flush) // is waited for when the page is hidden
  hidden.mockReturnValue(true)
  document.dispatchEvent(new Event('visibilitychange'))
  vi.stubGlobal('requestAnimationFrame', () => 0)
  const frames = new Frames<string>((keys) => flush([...keys]))
  frames.touch('A')
  frames.touch('B')
  vi.advanceTimersByTime(1000)
  expect(flush.mock.calls).toEqual([[], [['A', 'B']]])
  vi.unstubAllGlobals()
})
