/** How a flush is put off; a test draws the frames itself. */
export type ScheduleFrame = (flush: () => void) => void

export const nextFrame: ScheduleFrame = (flush) => requestAnimationFrame(flush)

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
