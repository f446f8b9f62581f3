/** A tick as the websocket carries it; members that are not listed are the source's own. */
export interface TickData {
  symbol: string
  price: number
  volume: number
  /** RFC 3339, UTC: when it was traded */
  timestamp: string
  id?: string
  exchange?: string
  bid?: number
  ask?: number
}

/** When a message passed each hop, in unix ms: kafka, bridge, each function, stream, api. */
export type Hops = Partial<Record<string, number>>

/** Sequences by the name of a stream. */
export type Sequences = Record<string, number>

export interface DataMessage<T = unknown> {
  subject: string
  stream?: string
  /** position in the stream: it only rises, and has gaps per subject */
  seq: number
  /** where the message, or what it follows from, stands in Kafka: topic/partition/offset */
  position?: string
  data: T
  hops?: Hops
  /** the newest known value, sent on subscribing, and no news */
  snapshot?: boolean
  /** of a result: it only shows how things stand, and may be lost or repeated */
  view?: boolean
}

export type TickMessage = DataMessage<TickData>

export interface ServerError {
  code: string
  message: string
}

/** What the server sends, one of these at a time. */
export interface ServerMessage extends Omit<Partial<DataMessage>, 'seq' | 'snapshot'> {
  /** a message's own; or, of a word of the server, up to where each stream is covered */
  seq?: number | Sequences
  snapshot?: boolean | 'done'
  subscribed?: string[]
  unsubscribed?: string[]
  resumed?: Sequences
  /** `since` asked for what these streams hold no longer */
  gone?: Record<string, { since?: number; first: number; last?: number }>
  /** the stream was made anew: what is kept by its sequences is void */
  rebuilt?: Sequences
  error?: ServerError
  pong?: number
  /** unix ms */
  heartbeat?: number
  /** how many messages the server left out because this client was too slow */
  dropped?: number
  /** where to resume for what was dropped */
  since?: Sequences
  /** how many messages a newer one of their subject replaced, in all */
  conflated?: number
}

export function isData(message: ServerMessage): message is DataMessage {
  return message.data !== undefined && typeof message.seq === 'number' && typeof message.subject === 'string'
}

/** A tick that can be counted: the server never sends another, a proxy in between might. */
export function isTick(message: DataMessage): message is TickMessage {
  return message.subject.startsWith('ticks.') && typeof message.data === 'object' && message.data !== null
}

/** Reads a frame: one message, or an array of them. It throws on what is neither. */
export function parseFrame(frame: string): ServerMessage[] {
  const parsed: unknown = JSON.parse(frame)
  const messages = Array.isArray(parsed) ? parsed : [parsed]
  if (messages.some((message) => typeof message !== 'object' || message === null)) {
    throw new TypeError('a message is no JSON object')
  }
  return messages
}
