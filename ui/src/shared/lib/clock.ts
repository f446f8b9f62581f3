/** How long a sample may speak for the server's clock. */
const window = 30_000

/**
 * ServerClock tells the server's time on a machine whose own clock may be wrong,
 * since the age of a tick is only as right as the clock it is taken from.
 *
 * Every time that the server sends was read before it arrived, so each sample
 * (server time - arrival) is at most the true offset: the largest recent one is
 * the closest. Two windows are kept, so that an old sample, from before the
 * machine's clock was set, is forgotten.
 */
export class ServerClock {
  private current = Number.NEGATIVE_INFINITY
  private previous = Number.NEGATIVE_INFINITY
  private since: number
  private readonly local: () => number

  constructor(local: () => number = Date.now) {
    this.local = local
    this.since = local()
  }

  /** Takes a time (unix ms) that the server has just sent. */
  observe(serverTime: number): void {
    if (!Number.isFinite(serverTime)) return
    const arrival = this.local()
    if (arrival - this.since > window) {
      this.previous = this.current
      this.current = Number.NEGATIVE_INFINITY
      this.since = arrival
    }
    this.current = Math.max(this.current, serverTime - arrival)
  }

  /** Server time minus local time in ms; 0 until the server has spoken. */
  get offset(): number {
    const best = Math.max(this.current, this.previous)
    return Number.isFinite(best) ? best : 0
  }

  /** The server's time now, in unix ms. */
  now(): number {
    return this.local() + this.offset
  }
}

const dayLength = 86_400_000

/** The number of the UTC day that a time (unix ms) falls on. */
export function utcDay(time: number): number {
  return Math.floor(time / dayLength)
}
