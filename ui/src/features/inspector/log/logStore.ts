import type { DataMessage } from '@/shared/stream'

export const kinds = ['ticks', 'candles', 'indicators', 'alerts', 'results', 'events', 'dlq'] as const
export type Kind = (typeof kinds)[number]

export interface Entry {
  /** rises by one with each message that came here */
  number: number
  /** when it came, unix ms */
  at: number
  kind: Kind
  message: DataMessage
  /** what a text is looked for in; made when it is first asked for */
  text?: string
}

export interface LogFilter {
  /** a part of the subject, such as a symbol */
  symbol: string
  text: string
  /** whether results that still grow are shown */
  views: boolean
}

export const capacity = 10_000

/**
 * The newest messages in the order in which they came. It is written past React,
 * and read at most a few times a second: `version` says whether there is news.
 */
export class LogStore {
  version = 0
  /** messages that came while it was paused, and are not kept */
  missed = 0
  paused = false
  private entries: Entry[] = []
  private count = 0

  get size(): number {
    return this.entries.length
  }

  add(messages: readonly DataMessage[], at: number): void {
    const news = messages.filter(({ snapshot }) => !snapshot)
    if (news.length === 0) return
    this.version++
    if (this.paused) {
      this.missed += news.length
      return
    }
    for (const message of news) {
      const kind = kindOf(message.subject)
      if (kind) this.entries.push({ number: ++this.count, at, kind, message })
    }
    // In large steps: to move ten thousand entries at each frame would cost more than to keep some longer.
    if (this.entries.length > capacity * 1.2) this.entries = this.entries.slice(-capacity)
  }

  clear(): void {
    this.entries = []
    this.missed = 0
    this.version++
  }

  pause(on: boolean): void {
    this.paused = on
    if (!on) this.missed = 0
    this.version++
  }

  /** What passes, the newest first. */
  select({ symbol, text, views }: LogFilter, wanted: ReadonlySet<Kind>): Entry[] {
    const found: Entry[] = []
    const part = symbol.toLowerCase()
    const words = text.toLowerCase()
    const oldest = Math.max(0, this.entries.length - capacity)
    for (let at = this.entries.length - 1; at >= oldest; at--) {
      const entry = this.entries[at]
      if (!entry || !wanted.has(entry.kind)) continue
      if (!views && entry.message.view) continue
      if (part && !decodeSubject(entry.message.subject).toLowerCase().includes(part)) continue
      if (words && !textOf(entry).toLowerCase().includes(words)) continue
      found.push(entry)
    }
    return found
  }
}

export function kindOf(subject: string): Kind | undefined {
  const first = subject.split('.', 1)[0]
  return kinds.find((kind) => kind === first)
}

/** A subject as people write it: BRK%2EB is BRK.B */
export function decodeSubject(subject: string): string {
  try {
    return decodeURIComponent(subject)
  } catch {
    return subject
  }
}

/** The payload in one line. */
export function textOf(entry: Entry): string {
  entry.text ??= JSON.stringify(entry.message.data)
  return entry.text
}

/** From Kafka to the API, in ms. */
export function latencyOf({ hops }: DataMessage): number | null {
  return hops?.api !== undefined && hops.kafka !== undefined ? hops.api - hops.kafka : null
}
