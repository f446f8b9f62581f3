import { utcDay } from '@/shared/lib/clock'

interface Trade {
  seq: number
  volume: number
  day: number
}

/**
 * The live trades since a request for /api/stocks was sent. Its answer is of
 * some moment in between, so the trades after that moment are counted on top.
 */
export class Recording {
  /** since is the stream position of the last trade before. */
  constructor(readonly since: number) {}

  private readonly trades = new Map<string, Trade[]>()

  add(symbol: string, seq: number, volume: number, time: number): void {
    const trade = { seq, volume, day: utcDay(time) }
    const known = this.trades.get(symbol)
    if (known) known.push(trade)
    else this.trades.set(symbol, [trade])
  }

  /** The volume of a symbol's trades of a day after a stream position. */
  volumeAfter(symbol: string, seq: number, day: number): number {
    let sum = 0
    for (const trade of this.trades.get(symbol) ?? []) {
      if (trade.seq > seq && trade.day === day) sum += trade.volume
    }
    return sum
  }
}
