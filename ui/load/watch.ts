import type { Page } from '@playwright/test'

/** What the page itself counts while it is measured. */
export interface Counts {
  /** frames in each whole second */
  fps: number[]
  /** tasks of more than 50 ms: how many, and how long together and at most (ms) */
  long: { count: number; total: number; longest: number }
  /** from a key or click to the next picture (ms), where that was 16 ms or more */
  delays: number[]
}

declare global {
  interface Window {
    measured: { take: () => Counts }
  }
}

/** Makes every page of a context count frames, long tasks and the delay of input. */
export async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const empty = (): Counts => ({ fps: [], long: { count: 0, total: 0, longest: 0 }, delays: [] })
    let counts = empty()
    let second = performance.now()
    let frames = 0
    const frame = (now: number) => {
      frames++
      if (now - second >= 1000) {
        counts.fps.push((1000 * frames) / (now - second))
        second = now
        frames = 0
      }
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        counts.long.count++
        counts.long.total += duration
        counts.long.longest = Math.max(counts.long.longest, duration)
      }
    }).observe({ type: 'longtask', buffered: true })
    new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) {
        if (name === 'keydown' || name === 'click') counts.delays.push(duration)
      }
    }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
    window.measured = {
      take: () => {
        const taken = counts
        counts = empty()
        second = performance.now()
        frames = 0
        return taken
      },
    }
  })
}

export const take = (page: Page): Promise<Counts> => page.evaluate(() => window.measured.take())

/** The part of sorted values below which a share of them lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** How much a value grows in one unit of x: the slope of the line that fits best. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  const across = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / (across || 1)
}
