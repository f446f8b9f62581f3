import { ServerClock } from '@/shared/lib/clock'
import { Listeners } from '@/shared/lib/listeners'
import { Interests, type SubscribeCommand, type Want } from './interests'
import { Latency } from './latency'
import { type DataMessage, isData, type Sequences, type ServerMessage } from './messages'
import { matches } from './pattern'
import type { Phase, SocketOptions } from './socket'

/** What changes once a second, or with the connection: views read it as a whole. */
export interface StreamStatus {
  phase: Phase
  /** messages per second */
  rate: number
  /** the server's time, unix ms */
  now: number
  /** how long no message with data came, in ms */
  silent: number
  /** from Kafka to this page in ms, over the last second in which something came */
  latency: { p50: number; p99: number } | null
  /** what the server left out because the page was too slow, and because the page wanted it so */
  dropped: number
  conflated: number
  /** what the server refused, or what it said that cannot be read */
  problem: string | null
}

export interface Socket {
  start(): void
  stop(): void
  pause(): void
  retry(): void
  send(command: object): void
}

export type SocketHandlers = Pick<SocketOptions, 'onOpen' | 'onMessages' | 'onPhase' | 'onUnreadable'>
export type MessageListener = (message: DataMessage) => void

export interface HubOptions {
  connect: (handlers: SocketHandlers) => Socket
  clock?: ServerClock
}

interface Subscription {
  pattern: string
  listener: MessageListener
}

const every: Want = { mode: 'all' }

/**
 * StreamHub is the page's one websocket, shared by all who want subjects of it.
 * Whoever joins late gets what is known at once; after a break every stream goes
 * on behind the last position that all is known up to.
 */
export class StreamHub {
  readonly clock: ServerClock
  private readonly socket: Socket
  private readonly interests = new Interests()
  private readonly subscriptions = new Set<Subscription>()
  private readonly routes = new Map<string, Subscription[]>()
  private readonly newest = new Map<string, DataMessage>()
  private readonly covered: Sequences = {}
  private readonly latency = new Latency()
  private readonly changed = new Listeners<[]>()
  private readonly gapped = new Listeners<[stream: string]>()
  private readonly granted = new Listeners<[pattern: string]>()
  /** the streams that go on behind what is known, on the connection that was opened last */
  private readonly resuming = new Set<string>()
  private status: StreamStatus
  private timer: ReturnType<typeof setInterval> | undefined
  private received = 0
  /** what was left out on connections before this one: the server counts by connection */
  private before = { dropped: 0, conflated: 0 }
  private last = { time: performance.now(), received: 0, news: performance.now() }

  constructor(options: HubOptions) {
    this.clock = options.clock ?? new ServerClock()
    this.status = {
      ...{ phase: 'connecting', rate: 0, now: this.clock.now(), silent: 0 },
      ...{ latency: null, dropped: 0, conflated: 0, problem: null },
    }
    this.socket = options.connect({
      onOpen: this.open,
      onMessages: this.receive,
      onPhase: (phase) => this.publish({ phase }),
      onUnreadable: (reason) =>
        this.complain(`The server sent what this page cannot read (${reason}): reload the page.`),
    })
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

  /** Connects where the reader has paused, and pauses where not. */
  readonly toggle = (): void => {
    if (this.status.phase === 'paused') this.socket.start()
    else this.socket.pause()
  }

  readonly retry = (): void => {
    if (this.status.phase === 'paused') this.socket.start()
    else this.socket.retry()
  }

  readonly getStatus = (): StreamStatus => this.status
  readonly onStatus = (listener: () => void) => this.changed.add(listener)
  /** Calls back when messages of a stream ('' for any) were missed, so that what is known has to be read anew. */
  readonly onGap = (listener: (stream: string) => void) => this.gapped.add(listener)

  /** Calls back when the server has granted a pattern anew: what came before that was not sent. */
  readonly onGranted = (listener: (pattern: string) => void) => this.granted.add(listener)

  /** The newest message of a subject that somebody has subscribed. */
  latest(subject: string): DataMessage | undefined {
    return this.newest.get(subject)
  }

  /** Calls back with every message of a pattern until the returned function is called: first with what is known. */
  subscribe(pattern: string, listener: MessageListener, want: Want = every): () => void {
    const subscription = { pattern, listener }
    this.subscriptions.add(subscription)
    this.routes.clear()
    for (const [subject, message] of this.newest) {
      if (matches(pattern, subject)) listener({ ...message, snapshot: true })
    }
    const command = this.interests.add(pattern, want)
    if (command) this.socket.send(command)
    return () => this.leave(subscription, want)
  }

  private leave(subscription: Subscription, want: Want): void {
    if (!this.subscriptions.delete(subscription)) return
    this.routes.clear()
    const outcome = this.interests.remove(subscription.pattern, want)
    if (outcome !== 'gone') {
      if (outcome) this.socket.send(outcome)
      return
    }
    this.socket.send({ unsubscribe: [subscription.pattern] })
    const stream = streamOf(subscription.pattern)
    if (!this.interests.patterns.some((pattern) => streamOf(pattern) === stream)) delete this.covered[stream]
    // What nobody follows any more grows old: it must not pass for the newest later.
    for (const subject of this.newest.keys()) {
      if (!this.interests.patterns.some((pattern) => matches(pattern, subject))) this.newest.delete(subject)
    }
  }

  /** Says what is wanted on a new connection: what is wanted in full goes on behind what is known. */
  private readonly open = (): void => {
    this.before = { dropped: this.status.dropped, conflated: this.status.conflated }
    this.resuming.clear()
    // A frame for each of thousands of messages a second costs more than what is in it.
    this.socket.send({ batch: true })
    for (const command of this.interests.commands()) {
      for (const part of this.resumed(command)) this.socket.send(part)
    }
  }

  /** A command by stream: `since` is of the streams whose subjects the same command names. */
  private resumed(command: SubscribeCommand): object[] {
    if (command.mode !== 'all') return [command]
    const byStream = new Map<string, string[]>()
    for (const pattern of command.subscribe) {
      const stream = streamOf(pattern)
      byStream.set(stream, [...(byStream.get(stream) ?? []), pattern])
    }
    return [...byStream].map(([stream, subscribe]) => {
      const since = this.covered[stream]
      if (since === undefined) return { ...command, subscribe }
      this.resuming.add(stream)
      return { ...command, subscribe, since: { [stream]: since } }
    })
  }

  private readonly receive = (messages: ServerMessage[]): void => {
    for (const message of messages) {
      if (isData(message)) this.take(message)
      else this.word(message)
    }
  }

  private take(message: DataMessage): void {
    if (!message.snapshot) {
      this.received++
      this.time(message)
    }
    this.newest.set(message.subject, message)
    for (const { pattern, listener } of this.route(message.subject)) {
      // A snapshot covers nothing: those of other subjects, which may be older, can still be to come.
      if (message.stream && !message.snapshot && this.interests.wantsAll(pattern)) {
        this.cover(message.stream, message.seq)
      }
      listener(message)
    }
  }

  /** Takes how long a tick was under way. A result's cause may be older than the result. */
  private time({ hops, subject }: DataMessage): void {
    if (hops?.api === undefined) return
    this.clock.observe(hops.api)
    if (hops.kafka !== undefined && subject.startsWith('ticks.'))
      this.latency.add(this.clock.now() - hops.kafka)
  }

  private route(subject: string): Subscription[] {
    const known = this.routes.get(subject)
    if (known) return known
    const found = [...this.subscriptions].filter(({ pattern }) => matches(pattern, subject))
    this.routes.set(subject, found)
    return found
  }

  /** Takes what the server says of itself. */
  private word(message: ServerMessage): void {
    if (message.heartbeat !== undefined) {
      this.clock.observe(message.heartbeat)
      this.count(message)
    } else if (message.error) {
      this.refused(message.error)
    } else if (message.gone) {
      for (const stream of Object.keys(message.gone)) this.lost(stream)
    } else if (message.rebuilt) {
      // The stream was made anew and counts again: a new connection begins behind the new count.
      for (const stream of Object.keys(message.rebuilt)) this.lost(stream)
    } else if (message.subscribed) {
      this.complain(null)
      for (const pattern of message.subscribed) {
        if (!this.resuming.has(streamOf(pattern))) this.granted.emit(pattern)
      }
    } else if (message.dropped) {
      this.publish({ dropped: this.status.dropped + message.dropped })
      for (const stream of Object.keys(message.since ?? { '': 0 })) this.gapped.emit(stream)
      return
    }
    if (typeof message.seq === 'object') {
      for (const [stream, seq] of Object.entries(message.seq)) this.cover(stream, seq)
    }
  }

  private count(message: ServerMessage): void {
    const dropped = this.before.dropped + (message.dropped ?? 0)
    const conflated = this.before.conflated + (message.conflated ?? 0)
    if (dropped !== this.status.dropped || conflated !== this.status.conflated) {
      this.publish({ dropped, conflated })
    }
  }

  private refused(error: { code: string; message: string }): void {
    if (error.code !== 'too_far') {
      this.complain(`The server refused: ${error.message} (${error.code}).`)
      return
    }
    // The page was away for so long that what it missed is not sent: it begins anew.
    for (const stream of Object.keys(this.covered)) this.lost(stream)
    this.open()
  }

  private lost(stream: string): void {
    delete this.covered[stream]
    this.gapped.emit(stream)
  }

  private cover(stream: string, seq: number): void {
    if (seq > (this.covered[stream] ?? 0)) this.covered[stream] = seq
  }

  /** Once a second: the rate, the time, and how long things take. */
  private readonly pulse = (): void => {
    const time = performance.now()
    const news = this.received - this.last.received
    if (news > 0) this.last.news = time
    this.publish({
      now: this.clock.now(),
      rate: (1000 * news) / Math.max(1, time - this.last.time),
      silent: time - this.last.news,
      latency: this.latency.take() ?? this.status.latency,
    })
    this.last.time = time
    this.last.received = this.received
  }

  private complain(problem: string | null): void {
    if (problem !== this.status.problem) this.publish({ problem })
  }

  private publish(news: Partial<StreamStatus>): void {
    this.status = { ...this.status, ...news }
    this.changed.emit()
  }
}

/** The streams by the first token of their subjects. */
const streams: Record<string, string> = {
  ticks: 'TICKS',
  candles: 'CANDLES',
  indicators: 'INDICATORS',
  alerts: 'ALERTS',
  results: 'RESULTS',
  events: 'EVENTS',
  dlq: 'DLQ',
}

function streamOf(pattern: string): string {
  return streams[pattern.split('.')[0] ?? ''] ?? ''
}
