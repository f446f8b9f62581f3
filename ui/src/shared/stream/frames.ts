/** How a flush is put off; a test draws the frames itself. */
export type ScheduleFrame = (flush: () => void) => void

/** a page that nobody sees is written so seldom (ms) */
const unseen = 500

const waiting = new Map<() => void, number>()

/**
 * Flushes at the next frame. A page that nobody sees has no frames: there a timer
 * does it, lest alerts are told only when they are looked at, and what comes piles up.
 */
export const nextFrame: ScheduleFrame = (flush) => {
  if (document.hidden) {
    setTimeout(flush, unseen)
    return
  }
  const frame = requestAnimationFrame(() => {
    waiting.delete(flush)
    flush()
  })
  waiting.set(flush, frame)
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return
  for (const [flush, frame] of waiting) {
    cancelAnimationFrame(frame)
    setTimeout(flush, unseen)
  }
  waiting.clear()
})

/**
 * Puts flushes off to a frame, and at least a pause (ms) apart: texts that change
 * oftener than they can be read would only take the time of keys and scrolling.
 */
export function pacedFrames(pause: number): ScheduleFrame {
  let last = Number.NEGATIVE_INFINITY
  return (flush) => {
    const draw = () =>
      nextFrame(() => {
        last = performance.now()
        flush()
      })
    const wait = last + pause - performance.now()
    if (wait > 0) setTimeout(draw, wait)
    else draw()
  }
}

/**
 * Frames gathers what has changed and flushes it once a frame, however much
 * came: what is painted oftener is not seen.
 */
export class Frames<K> {
  private dirty = new Set<K>()
  private scheduled = false

  constructor(
    private readonly flushed: (dirty: ReadonlySet<K>) => void,
    private readonly schedule: ScheduleFrame = nextFrame,
  ) {}

  touch(key: K): void {
    this.dirty.add(key)
    if (this.scheduled) return
    this.scheduled = true
    this.schedule(this.flush)
  }

  private readonly flush = (): void => {
    this.scheduled = false
    const dirty = this.dirty
    this.dirty = new Set()
    this.flushed(dirty)
  }
}
