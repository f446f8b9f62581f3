// The reference client of the websocket: docs/websocket.md says what it rests on.

export interface Message<Data = unknown> {
  subject: string
  stream: string
  seq: number
  prev?: number
  position?: string
  view?: boolean
  snapshot?: true
  data: Data
  hops: Record<string, number>
}

type Sequences = Record<string, number>

interface Word {
  snapshot?: 'done'
  seq?: Sequences
  resumed?: Sequences
  gone?: Record<string, { since: number; first: number; last: number }>
  dropped?: number
  heartbeat?: number
  error?: { code: string; message: string }
}

export interface Options {
  onMessage: (message: Message) => void
  /** Messages are missing: fill the gap from GET /api. */
  onGap?: (word: Word) => void
  /** The subjects were refused: it makes no sense to try again. */
  onError?: (error: { code: string; message: string }) => void
  WebSocket?: new (url: string) => WebSocket
}

/** Follows subjects, every message once and in order, across connections that break. */
export function follow(url: string, subjects: string[], options: Options): () => void {
  const { onMessage, onGap, onError } = options
  const since: Sequences = {} // by stream: all up to here has come
  let socket: WebSocket | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  const connect = () => {
    const current = new (options.WebSocket ?? WebSocket)(url)
    const again = () => {
      if (stopped || socket !== current) return
      socket = undefined
      clearTimeout(timer)
      current.close()
      timer = setTimeout(connect, 1000)
    }
    // The server says something each 5 s: two may be missed.
    const watch = () => {
      clearTimeout(timer)
      timer = setTimeout(again, 12_000)
    }
    let ready = Object.keys(since).length > 0
    socket = current
    watch()
    current.onopen = () => current.send(JSON.stringify({ subscribe: subjects, batch: true, ...(ready && { since }) }))
    current.onclose = again
    current.onmessage = (event: MessageEvent<string>) => {
      if (socket !== current) return
      watch()
      const frame = JSON.parse(event.data) as (Message | Word) | (Message | Word)[]
      for (const m of Array.isArray(frame) ? frame : [frame]) {
        if ('subject' in m) {
          onMessage(m)
          if (ready && !m.snapshot) since[m.stream] = m.seq
        } else if (m.error?.code === 'too_far') {
          for (const stream of Object.keys(since)) delete since[stream] // begin anew
          onGap?.(m)
          again()
        } else if (m.error) {
          onError?.(m.error)
          stop()
        } else if (m.snapshot === 'done' || (ready && m.heartbeat)) {
          ready = true
          Object.assign(since, m.seq)
        } else if (m.resumed) {
          Object.assign(since, m.resumed)
        } else if (m.gone || (m.dropped && !m.heartbeat)) {
          onGap?.(m)
        }
      }
    }
  }

  const stop = () => {
    stopped = true
    clearTimeout(timer)
    socket?.close()
    socket = undefined
  }
  connect()
  return stop
}
