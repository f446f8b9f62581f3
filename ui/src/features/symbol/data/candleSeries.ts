import { Listeners } from '@/shared/lib/listeners'
import { Frames, type ScheduleFrame } from '@/shared/stream/frames'
import type { Bar } from './bar'

/** What a flush of a series tells: bars that are new or differ, or that all of it has to be drawn. */
export type SeriesChange = { all: true } | { all: false; bars: Bar[] }

/**
 * CandleSeries holds the candles of one symbol and interval, outside React. It
 * lives as long as the page's cache, so that who comes back finds it as it was.
 */
export class CandleSeries {
  private bars: Bar[] = []
  private readonly changed = new Listeners<[SeriesChange]>()
  private readonly frames: Frames<number>
  private redraw = false
  /** cursor of the page that lies before all that is known; null if there is none, undefined before the first */
  next: string | null | undefined = undefined

  constructor(schedule?: ScheduleFrame) {
    this.frames = new Frames((times) => this.flush(times), schedule)
  }

  get all(): readonly Bar[] {
    return this.bars
  }

  get last(): Bar | undefined {
    return this.bars.at(-1)
  }

  /** Calls back once a frame with what has changed. */
  readonly onChange = (listener: (change: SeriesChange) => void) => this.changed.add(listener)

  /** Takes a page that was read: what came live meanwhile is newer than what it says. */
  addPage(page: readonly Bar[]): void {
    const known = new Map(page.map((bar) => [bar.time, bar]))
    for (const bar of this.bars) {
      const read = known.get(bar.time)
      if (!read || isNewer(bar, read)) known.set(bar.time, bar)
    }
    this.bars = [...known.values()].sort((a, b) => a.time - b.time)
    this.redraw = true
    this.frames.touch(0)
  }

  /** Takes a candle as the stream has it: as it grows, closed, or amended by a late tick. */
  apply(bar: Bar): void {
    const at = this.find(bar.time)
    const known = this.bars[at]
    if (known?.time === bar.time) {
      if (isNewer(known, bar)) return
      this.bars[at] = bar
    } else {
      this.bars.splice(at, 0, bar)
      // A candle between others moves all that stand behind it.
      if (at < this.bars.length - 1) this.redraw = true
    }
    this.frames.touch(bar.time)
  }

  at(time: number): Bar | undefined {
    const bar = this.bars[this.find(time)]
    return bar?.time === time ? bar : undefined
  }

  /** The place of the first bar that is not before a time. */
  find(time: number): number {
    let low = 0
    let high = this.bars.length
    // The newest is asked for most.
    if ((this.bars.at(-1)?.time ?? 0) < time) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.bars[middle]?.time ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  private flush(times: ReadonlySet<number>): void {
    if (this.redraw) {
      this.redraw = false
      this.changed.emit({ all: true })
      return
    }
    const bars = [...times].sort((a, b) => a - b).flatMap((time) => this.at(time) ?? [])
    this.changed.emit({ all: false, bars })
  }
}

/** Whether a bar knows more than another of the same time: views may come late or twice. */
function isNewer(bar: Bar, than: Bar): boolean {
  if (bar.amended !== than.amended) return bar.amended > than.amended
  if (bar.closed !== than.closed) return bar.closed
  return bar.trades > than.trades
}
