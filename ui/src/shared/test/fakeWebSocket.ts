/** A websocket whose other end is the test. */
export class FakeWebSocket {
  static all: FakeWebSocket[] = []

  static get last(): FakeWebSocket {
    const last = FakeWebSocket.all.at(-1)
    if (!last) throw new Error('no websocket was opened')
    return last
  }

  readyState = 0
  sent: unknown[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null

  constructor(readonly url: string) {
    FakeWebSocket.all.push(this)
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.readyState = 3
  }

  /** The server accepts. */
  accept(): void {
    this.readyState = 1
    this.onopen?.()
  }

  /** The server sends a frame; a text goes as it is. */
  deliver(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) })
  }

  /** The connection breaks. */
  break(): void {
    this.readyState = 3
    this.onclose?.()
  }
}

/** The fake as what StreamSocket asks for. */
export const FakeSocketClass = FakeWebSocket as unknown as new (url: string) => WebSocket
