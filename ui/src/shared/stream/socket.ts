import { backoff } from './backoff'
import { parseFrame, type ServerMessage } from './messages'

/**
 * connecting: never reached the server yet; live: the server speaks;
 * reconnecting: it spoke before; offline: several tries failed, or the
 * machine has no network; paused: the reader wants no connection. Tries go on
 * in every phase but live and paused.
 */
export type Phase = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'paused'

export interface SocketOptions {
  url: string
  /** the connection is there: what is wanted is to be said anew */
  onOpen?: () => void
  onMessages: (messages: ServerMessage[]) => void
  onPhase: (phase: Phase) => void
  /** a frame that cannot be read: the page and the server disagree */
  onUnreadable?: (reason: string) => void
  WebSocket?: new (url: string) => WebSocket
  random?: () => number
}

/** The server sends a heartbeat every 5 s; two may be missed. */
const silence = 12_000
const failuresToOffline = 4
// WebSocket.readyState, by number: the class may be another one in a test.
const CONNECTING = 0
const OPEN = 1

/** A websocket that comes back by itself. What is said while it is away is lost: onOpen says it again. */
export class StreamSocket {
  private socket: WebSocket | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private wasLive = false
  private running = false
  private phase: Phase = 'connecting'

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    if (this.running) return
    this.running = true
    window.addEventListener('online', this.retry)
    document.addEventListener('visibilitychange', this.seen)
    this.enter(this.wasLive ? 'reconnecting' : 'connecting')
    this.connect()
  }

  stop(): void {
    this.running = false
    window.removeEventListener('online', this.retry)
    document.removeEventListener('visibilitychange', this.seen)
    this.drop()
  }

  /** Stops, because the reader says so. */
  pause(): void {
    this.stop()
    this.failures = 0
    this.enter('paused')
  }

  send(command: object): void {
    if (this.socket?.readyState === OPEN) this.socket.send(JSON.stringify(command))
  }

  /** Tries at once instead of waiting for the backoff. */
  readonly retry = (): void => {
    if (this.running && this.phase !== 'live' && this.socket?.readyState !== CONNECTING) this.connect()
  }

  /** A page that was asleep need not wait for a timer that slept with it. */
  private readonly seen = (): void => {
    if (document.visibilityState === 'visible') this.retry()
  }

  private connect(): void {
    this.drop()
    const socket = new (this.options.WebSocket ?? WebSocket)(this.options.url)
    this.socket = socket
    socket.onopen = () => this.options.onOpen?.()
    socket.onmessage = (event: MessageEvent<string>) => this.receive(event.data)
    socket.onclose = () => this.failed()
    this.watch()
  }

  /** Gives the connection up when nothing comes: a dead link closes no socket. */
  private watch(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.failed(), silence)
  }

  private receive(frame: string): void {
    this.watch()
    let messages: ServerMessage[]
    try {
      messages = parseFrame(frame)
    } catch (error) {
      this.options.onUnreadable?.(error instanceof Error ? error.message : String(error))
      return
    }
    // Reaching a proxy is not reaching the server: only its own words count.
    if (messages.some((message) => !message.error)) {
      this.failures = 0
      this.wasLive = true
      this.enter('live')
    }
    this.options.onMessages(messages)
  }

  private failed(): void {
    if (!this.running) return
    this.drop()
    this.failures++
    const offline = this.failures >= failuresToOffline || !navigator.onLine
    this.enter(offline ? 'offline' : this.wasLive ? 'reconnecting' : 'connecting')
    this.timer = setTimeout(() => this.connect(), backoff(this.failures, this.options.random))
  }

  /** Lets go of the socket; what it still says is not heard. */
  private drop(): void {
    clearTimeout(this.timer)
    const socket = this.socket
    this.socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  private enter(phase: Phase): void {
    if (phase === this.phase) return
    this.phase = phase
    this.options.onPhase(phase)
  }
}
