import { utcDay } from '@/shared/lib/clock'
import type { StreamHub } from '@/shared/stream'
import { type DataMessage, isTick } from '@/shared/stream/messages'
import type { LoadStocks } from './loadStocks'
import { PriceStore } from './priceStore'

export interface FeedOptions {
  hub: StreamHub
  loadStocks: LoadStocks
  store?: PriceStore
}

/** A client that is too slow is told often what it missed: it asks for it no oftener than this. */
const gapPause = 5000

const allTicks = 'ticks.*'

/** How often the candles of the day are asked for, which tell the volume where ticks are left out. */
const dayRate = 1

/** Joins the stream and /api/stocks into the price store. Every screen shares one. */
export class MarketFeed {
  readonly hub: StreamHub
  readonly store: PriceStore
  private readonly loadStocks: LoadStocks
  private readonly leaves: (() => void)[] = []
  private leaveTicks: (() => void) | undefined
  private maxRate: number | null = null
  private readonly gaps = new Set<() => void>()
  private missed = false
  private lastGap = performance.now()

  constructor(options: FeedOptions) {
    this.hub = options.hub
    this.store = options.store ?? new PriceStore()
    this.loadStocks = options.loadStocks
  }

  start(): void {
    this.leaves.push(
      this.hub.onGap((stream) => {
        if (stream === '' || stream === 'TICKS') this.miss()
      }),
      this.hub.onGranted((pattern) => {
        if (pattern === allTicks) this.miss(true)
      }),
      this.hub.onStatus(this.pulse),
    )
    this.follow()
  }

  stop(): void {
    for (const leave of this.leaves.splice(0)) leave()
    this.leaveTicks?.()
    this.leaveTicks = undefined
  }

  /** How many ticks a second and symbol are wanted at most; null is every one. */
  conflate(maxRate: number | null): void {
    if (maxRate === this.maxRate) return
    this.maxRate = maxRate
    if (this.leaveTicks) this.follow()
  }

  /** Calls back when messages may have been missed, so that load is due. */
  readonly onGap = (listener: () => void): (() => void) => {
    this.gaps.add(listener)
    return () => this.gaps.delete(listener)
  }

  /** Reads /api/stocks into the store. */
  async load(signal: AbortSignal): Promise<number> {
    const recording = this.store.record()
    try {
      const { response, date } = await this.loadStocks(signal)
      this.hub.clock.observe(date)
      const day = utcDay(Number.isNaN(date) ? this.hub.clock.now() : date)
      this.store.applyBaseline(response, day, recording)
      return response.stocks?.length ?? 0
    } finally {
      this.store.forget(recording)
    }
  }

  /** Subscribes in the new way before it leaves the old one: no tick falls in between. */
  private follow(): void {
    const { maxRate } = this
    const old = this.leaveTicks
    this.store.count(maxRate === null)
    const leaves =
      maxRate === null
        ? [this.hub.subscribe(allTicks, this.tick)]
        : [
            this.hub.subscribe(allTicks, this.tick, { mode: 'latest', maxRate }),
            this.hub.subscribe('candles.1d.*', this.day, { mode: 'latest', maxRate: dayRate }),
          ]
    this.leaveTicks = () => {
      for (const leave of leaves) leave()
    }
    old?.()
    if (old && maxRate === null) this.miss(true)
  }

  private readonly tick = (message: DataMessage): void => {
    if (isTick(message)) this.store.applyTick(message)
  }

  private readonly day = (message: DataMessage): void => this.store.applyDay(message.data)

  private readonly pulse = (): void => {
    this.store.roll(utcDay(this.hub.clock.now()))
    this.tellGap()
  }

  private miss(atOnce = false): void {
    this.missed = true
    if (atOnce) this.lastGap = Number.NEGATIVE_INFINITY
    this.tellGap()
  }

  private tellGap(): void {
    if (!this.missed || performance.now() - this.lastGap < gapPause) return
    this.missed = false
    this.lastGap = performance.now()
    for (const listener of this.gaps) listener()
  }
}
