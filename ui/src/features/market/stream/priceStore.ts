import type { Stock, StocksResponse } from '@/shared/api/client'
import { utcDay } from '@/shared/lib/clock'
import { Listeners } from '@/shared/lib/listeners'
import { Frames, pacedFrames, type ScheduleFrame } from '@/shared/stream/frames'
import type { TickMessage } from '@/shared/stream/messages'
import { addMinute, addVolume, newQuote, type Quote, rollDay } from './quote'
import { Recording } from './recording'

const minuteLength = 60_000
/** How long a price stands at least, in ms. */
const readable = 50

/** What an answer of /api/stocks is of. */
interface Moment {
  seq: number
  day: number
  recording: Recording
}

/**
 * PriceStore holds every symbol's quote outside React. A tick changes its quote
 * at once and marks it dirty; a flush, 20 times a second at most, tells the
 * listeners which quotes changed, however many ticks came.
 */
export class PriceStore {
  /** how many ticks came in */
  received = 0

  private readonly quotes = new Map<string, Quote>()
  private readonly recordings = new Set<Recording>()
  private readonly flushed = new Listeners<[dirty: ReadonlySet<string>]>()
  private readonly grown = new Listeners<[]>()
  private readonly frames: Frames<string>
  private symbols: readonly string[] = []
  /** the position of the last live tick */
  private liveSeq = 0
  /** whether /api/stocks was read: what it did not name then has traded nothing before */
  private complete = false

  /** whether every tick comes, so that volumes can be added up */
  private counting = true

  constructor(schedule: ScheduleFrame = pacedFrames(readable)) {
    this.frames = new Frames((dirty) => this.flush(dirty), schedule)
  }

  get(symbol: string): Quote | undefined {
    return this.quotes.get(symbol)
  }

  /** The symbols in the order of their arrival; a new array when there are more. */
  readonly getSymbols = (): readonly string[] => this.symbols
  readonly onSymbols = (listener: () => void) => this.grown.add(listener)
  /** Calls back with the symbols whose quotes changed, at most once a frame. */
  readonly onFlush = (listener: (dirty: ReadonlySet<string>) => void) => this.flushed.add(listener)

  applyTick(message: TickMessage): void {
    const { symbol, price, volume } = message.data
    const time = Date.parse(message.data.timestamp)
    if (typeof symbol !== 'string' || !Number.isFinite(price) || Number.isNaN(time)) return
    const quote = this.quotes.get(symbol) ?? this.open(symbol, price, time, message.snapshot)
    // A subject's positions fall only when the stream began anew: what was counted before says nothing then.
    if (message.seq < quote.liveSeq) quote.seq = 0
    quote.liveSeq = message.seq
    if (!message.snapshot) {
      this.received++
      this.liveSeq = message.seq
      if (message.seq <= quote.seq) return
      for (const recording of this.recordings) recording.add(symbol, message.seq, volume, time)
      rollDay(quote, utcDay(time))
      if (this.counting) addVolume(quote, volume, time)
    }
    quote.seq = Math.max(quote.seq, message.seq)
    // A late tick counts into the volume, but the last price is the last that was traded.
    if (quote.time === null || time >= quote.time) {
      quote.price = price
      quote.time = time
      addMinute(quote, Math.floor(time / minuteLength), price)
    }
    this.touch(symbol)
  }

  /** Takes the closes of minutes that were read, which stand behind what came live. */
  applyMinutes(symbol: string, closes: readonly { time: number; close: number }[]): void {
    const quote = this.quotes.get(symbol)
    if (!quote) return
    const known = new Set(quote.minutes.map(({ minute }) => minute))
    for (const { time, close } of closes) {
      const minute = Math.floor(time / minuteLength)
      if (!known.has(minute)) addMinute(quote, minute, close)
    }
    this.touch(symbol)
  }

  /** Takes what function indicators says of the newest ticks of a symbol. */
  applyTrend(data: unknown): void {
    if (typeof data !== 'object' || data === null) return
    const { symbol, interval, trend } = data as { symbol?: unknown; interval?: unknown; trend?: unknown }
    const quote = typeof symbol === 'string' ? this.quotes.get(symbol) : undefined
    if (!quote || interval !== 'tick' || (trend !== 'up' && trend !== 'down' && trend !== 'flat')) return
    if (quote.trend === trend) return
    quote.trend = trend
    this.touch(quote.symbol)
  }

  /** Says whether every tick comes from now on. Where not, applyDay tells the volumes. */
  count(counting: boolean): void {
    this.counting = counting
  }

  /** Takes a candle of a day, as the stream has it. */
  applyDay(data: unknown): void {
    if (this.counting || typeof data !== 'object' || data === null) return
    const { symbol, start, volume } = data as { symbol?: unknown; start?: unknown; volume?: unknown }
    if (typeof symbol !== 'string' || typeof start !== 'string' || typeof volume !== 'number') return
    const quote = this.quotes.get(symbol)
    // A view may be older than what was read: a day's volume only grows.
    if (!quote || utcDay(Date.parse(start)) !== quote.day || volume <= (quote.dayVolume ?? 0)) return
    quote.dayVolume = volume
    this.touch(symbol)
  }

  /** Notes the live trades from now on, for the answer to a request that is about to be sent. */
  record(): Recording {
    const recording = new Recording(this.liveSeq)
    this.recordings.add(recording)
    return recording
  }

  forget(recording: Recording): void {
    this.recordings.delete(recording)
  }

  /** Takes an answer of /api/stocks, whose figures are of a UTC day. */
  applyBaseline(response: StocksResponse, day: number, recording: Recording): void {
    const stocks = response.stocks ?? []
    // The list is of one moment: it counts every tick up to its highest position. That of a symbol
    // alone would not do, since a late tick is counted and does not become the symbol's newest.
    const seq = stocks.reduce((highest, stock) => Math.max(highest, stock.seq ?? 0), 0)
    for (const stock of stocks) this.applyStock(stock, { seq, day, recording })
    this.complete = true
  }

  /** Begins a new UTC day for every symbol that did not trade on it yet. */
  roll(day: number): void {
    for (const quote of this.quotes.values()) {
      if (rollDay(quote, day)) this.touch(quote.symbol)
    }
  }

  private applyStock(stock: Stock, { seq, day, recording }: Moment): void {
    const quote = this.quotes.get(stock.symbol) ?? this.create(stock.symbol)
    rollDay(quote, day)
    const time = Date.parse(stock.timestamp ?? '')
    if (stock.price !== null && time >= (quote.time ?? 0)) {
      quote.price = stock.price
      quote.time = time
    }
    quote.seq = Math.max(quote.seq, seq)
    if (quote.day === day) {
      quote.reference = stock.reference ?? stock.open ?? quote.reference
      // An answer from behind what was counted before the question would take trades back.
      const newer = seq >= recording.since || quote.dayVolume === null
      if (stock.dayVolume !== null && newer) {
        quote.dayVolume = stock.dayVolume + recording.volumeAfter(stock.symbol, seq, day)
      }
    }
    this.touch(stock.symbol)
  }

  /** A symbol that a tick named first. Unless it is known to be new, its day is not known either. */
  private open(symbol: string, price: number, time: number, snapshot = false): Quote {
    const quote = this.create(symbol)
    quote.day = utcDay(time)
    if (this.complete && !snapshot) {
      quote.reference = price
      quote.dayVolume = 0
    }
    return quote
  }

  private create(symbol: string): Quote {
    const quote = newQuote(symbol)
    this.quotes.set(symbol, quote)
    return quote
  }

  private touch(symbol: string): void {
    this.frames.touch(symbol)
  }

  private flush(dirty: ReadonlySet<string>): void {
    if (this.symbols.length !== this.quotes.size) {
      this.symbols = [...this.quotes.keys()]
      this.grown.emit()
    }
    this.flushed.emit(dirty)
  }
}
