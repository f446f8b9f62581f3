import { ServerClock, utcDay } from '@/shared/lib/clock'
import { Listeners } from '@/shared/lib/listeners'
import { isData, type ServerMessage } from '@/shared/stream/messages'
import type { Phase, SocketOptions } from '@/shared/stream/socket'
import type { LoadStocks } from './loadStocks'
import { PriceStore } from './priceStore'

/** What changes once a second, or with the connection: views read it as a whole. */
export interface FeedStatus {
  phase: Phase
  /** ticks per second */
  rate: number
  /** the server's time, unix ms */
  now: number
  /** how long no tick came, in ms */
  silent: number
  /** what the server refused, or what it said that cannot be read */
  problem: string | null
}

interface Socket {
  start(): void
  stop(): void
  retry(): void
  subscribe(...subjects: string[]): void
}

export interface FeedOptions {
  connect: (handlers: Pick<SocketOptions, 'onMessages' | 'onPhase' | 'onUnreadable'>) => Socket
  loadStocks: LoadStocks
  store?: PriceStore
  clock?: ServerClock
}

/** A client that is too slow is told often what it missed: it asks for it no oftener than this. */
const gapPause = 5000

/** Joins the websocket and /api/stocks into the price store. Every screen shares one. */
export class MarketFeed {
  readonly store: PriceStore
  private readonly clock: ServerClock
  private readonly socket: Socket
  private readonly loadStocks: LoadStocks
  private readonly changed = new Listeners<[]>()
  private readonly gapped = new Listeners<[]>()
  private status: FeedStatus
  private timer: ReturnType<typeof setInterval> | undefined
  private last = { time: performance.now(), received: 0 }
  private lastTick = performance.now()
  private missed = false
  private lastGap = performance.now()

  constructor(options: FeedOptions) {
    this.store = options.store ?? new PriceStore()
    this.clock = options.clock ?? new ServerClock()
    this.loadStocks = options.loadStocks
    this.status = { phase: 'connecting', rate: 0, now: this.clock.now(), silent: 0, problem: null }
    this.socket = options.connect({
      onMessages: this.receive,
      onPhase: (phase) => this.publish({ phase }),
      onUnreadable: (reason) =>
        this.complain(`The server sent what this page cannot read (${reason}): reload the page.`),
    })
    this.socket.subscribe('ticks.*')
  }

  start(): void {
    clearInterval(this.timer)
    this.timer = setInterval(this.pulse, 1000)
    this.socket.start()
  }

  stop(): void {
    clearInterval(this.timer)
    this.socket.stop()
  }

  readonly retry = (): void => this.socket.retry()
  readonly getStatus = (): FeedStatus => this.status
  readonly onStatus = (listener: () => void) => this.changed.add(listener)
  /** Calls back when messages may have been missed, so that load is due. */
  readonly onGap = (listener: () => void) => this.gapped.add(listener)

  /** Reads /api/stocks into the store. */
  async load(signal: AbortSignal): Promise<number> {
    const recording = this.store.record()
    try {
      const { response, date } = await this.loadStocks(signal)
      this.clock.observe(date)
      const day = utcDay(Number.isNaN(date) ? this.clock.now() : date)
      this.store.applyBaseline(response, day, recording)
      return response.stocks?.length ?? 0
    } finally {
      this.store.forget(recording)
    }
  }

  private readonly receive = (messages: ServerMessage[]): void => {
    for (const message of messages) {
      if (isData(message)) {
        this.store.applyTick(message)
        if (!message.snapshot) this.clock.observe(message.hops?.api ?? Number.NaN)
      } else if (message.heartbeat !== undefined) {
        this.clock.observe(message.heartbeat)
      } else if (message.error) {
        this.complain(`The server refused: ${message.error.message} (${message.error.code}).`)
      } else if (message.subscribed) {
        this.complain(null)
        this.gap()
      } else if (message.dropped) {
        this.missed = true
      }
    }
  }

  /** Once a second: the rate, the time, and the turn of the day. */
  private readonly pulse = (): void => {
    const time = performance.now()
    const { received } = this.store
    const news = received - this.last.received
    if (news > 0) this.lastTick = time
    const now = this.clock.now()
    this.store.roll(utcDay(now))
    this.publish({
      now,
      rate: (1000 * news) / Math.max(1, time - this.last.time),
      silent: time - this.lastTick,
    })
    this.last = { time, received }
    if (this.missed && time - this.lastGap > gapPause) this.gap()
  }

  private gap(): void {
    this.missed = false
    this.lastGap = performance.now()
    this.gapped.emit()
  }

  private complain(problem: string | null): void {
    if (problem !== this.status.problem) this.publish({ problem })
  }

  private publish(news: Partial<FeedStatus>): void {
    this.status = { ...this.status, ...news }
    this.changed.emit()
  }
}
