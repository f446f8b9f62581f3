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

/** When a message passed each hop, in unix ms. */
export type Hops = Partial<Record<'kafka' | 'bridge' | 'stream' | 'api', number>>

export interface DataMessage {
  subject: string
  /** position in the stream: it only rises, and has gaps per subject */
  seq: number
  data: TickData
  hops?: Hops
  /** the newest known value, sent on subscribing, and no news */
  snapshot?: boolean
}

export interface ServerError {
  code: string
  message: string
}

/** What the server sends, one of these at a time. */
export interface ServerMessage extends Partial<DataMessage> {
  subscribed?: string[]
  unsubscribed?: string[]
  error?: ServerError
  /** unix ms */
  heartbeat?: number
  /** how many messages the server left out because this client was too slow */
  dropped?: number
}

export function isData(message: ServerMessage): message is DataMessage {
  return message.data !== undefined && typeof message.seq === 'number'
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
