import { expect, test, vi } from 'vitest'
import { type SocketHandlers, StreamHub } from './hub'
import type { DataMessage, ServerMessage } from './messages'
import { matches, token } from './pattern'

function manualHub() {
  let handlers: SocketHandlers | undefined
  const sent: object[] = []
  const nothing = () => {}
  const hub = new StreamHub({
    connect: (given) => {
      handlers = given
      const socket = { start: nothing, stop: nothing, pause: nothing, retry: nothing }
      return { ...socket, send: (command) => sent.push(command) }
    },
  })
  return {
    hub,
    sent,
    open: () => handlers?.onOpen?.(),
    deliver: (...messages: ServerMessage[]) => handlers?.onMessages(messages),
  }
}

const message = (subject: string, seq: number, more: Partial<DataMessage> = {}): DataMessage => ({
  subject,
  seq,
  stream: subject.startsWith('ticks') ? 'TICKS' : 'CANDLES',
  data: {},
  ...more,
})

test('two who want the same cost one subscription, and the one that wants more decides', () => {
  const { hub, sent } = manualHub()
  const first = hub.subscribe('ticks.*', () => {}, { mode: 'latest', maxRate: 4 })
  const second = hub.subscribe('ticks.*', () => {}, { mode: 'latest', maxRate: 2 })
  const third = hub.subscribe('ticks.*', () => {})
  expect(sent).toEqual([
    { subscribe: ['ticks.*'], mode: 'latest', maxRate: 4 },
    { subscribe: ['ticks.*'], mode: 'all' },
  ])
  third()
  expect(sent.at(-1)).toEqual({ subscribe: ['ticks.*'], mode: 'latest', maxRate: 4 })
  first()
  second()
  second()
  expect(sent.at(-1)).toEqual({ unsubscribe: ['ticks.*'] })
})

test('who joins late gets what is known at once, and what is left is forgotten', () => {
  const { hub, deliver } = manualHub()
  const leave = hub.subscribe('ticks.*', () => {})
  deliver(message('ticks.AAPL', 7))
  const late = vi.fn()
  const leaveLate = hub.subscribe('ticks.AAPL', late)
  expect(late).toHaveBeenCalledWith(expect.objectContaining({ seq: 7, snapshot: true }))
  leave()
  expect(hub.latest('ticks.AAPL')?.seq).toBe(7)
  leaveLate()
  expect(hub.latest('ticks.AAPL')).toBeUndefined()
})

test('a message goes to those whose pattern it matches', () => {
  const { hub, deliver } = manualHub()
  const [all, one, other] = [vi.fn(), vi.fn(), vi.fn()]
  hub.subscribe('candles.*.AAPL', all)
  hub.subscribe('candles.1m.AAPL', one)
  hub.subscribe('candles.1m.MSFT', other)
  deliver(message('candles.1m.AAPL', 1), message('candles.5m.AAPL', 2))
  expect([all, one, other].map((listener) => listener.mock.calls.length)).toEqual([2, 1, 0])
})

test('after a break each stream goes on behind what is known', () => {
  const { hub, sent, open, deliver } = manualHub()
  hub.subscribe('ticks.*', () => {})
  hub.subscribe('candles.1m.AAPL', () => {})
  hub.subscribe('indicators.*', () => {}, { mode: 'latest', maxRate: 1 })
  deliver(message('ticks.AAPL', 41), message('candles.1m.AAPL', 5))
  deliver({ heartbeat: 1, seq: { TICKS: 50 } })
  sent.length = 0
  const granted = vi.fn()
  hub.onGranted(granted)
  open()
  expect(sent).toEqual([
    { batch: true },
    { subscribe: ['ticks.*'], mode: 'all', since: { TICKS: 50 } },
    { subscribe: ['candles.1m.AAPL'], mode: 'all', since: { CANDLES: 5 } },
    { subscribe: ['indicators.*'], mode: 'latest', maxRate: 1 },
  ])
  deliver({ subscribed: ['ticks.*'] }, { subscribed: ['indicators.*'] })
  expect(granted.mock.calls).toEqual([['indicators.*']])
})

test('what is gone, dropped or too far back is a gap', () => {
  const { hub, sent, open, deliver } = manualHub()
  const gap = vi.fn()
  hub.onGap(gap)
  hub.subscribe('ticks.*', () => {})
  deliver(message('ticks.AAPL', 41))
  deliver({ dropped: 3, since: { TICKS: 41 } })
  expect(hub.getStatus().dropped).toBe(3)
  deliver({ gone: { TICKS: { first: 99 } } })
  expect(gap.mock.calls).toEqual([['TICKS'], ['TICKS']])
  deliver(message('ticks.AAPL', 100))
  open()
  sent.length = 0
  deliver({ error: { code: 'too_far', message: 'a million back' } })
  expect(sent).toEqual([{ batch: true }, { subscribe: ['ticks.*'], mode: 'all' }])
  expect(hub.getStatus().problem).toBeNull()
})

test('a stream that was made anew is a gap, and is not gone on with behind its old count', () => {
  const { hub, sent, open, deliver } = manualHub()
  const gap = vi.fn()
  hub.onGap(gap)
  hub.subscribe('ticks.*', () => {})
  deliver(message('ticks.AAPL', 900), { rebuilt: { TICKS: 8 } }, message('ticks.AAPL', 9))
  expect(gap.mock.calls).toEqual([['TICKS']])
  open()
  expect(sent.at(-1)).toEqual({ subscribe: ['ticks.*'], mode: 'all', since: { TICKS: 9 } })
})

test('a break amid the snapshots begins anew: those to come may be older than those that came', () => {
  const { hub, sent, open, deliver } = manualHub()
  hub.subscribe('ticks.*', () => {})
  deliver(message('ticks.AAPL', 41, { snapshot: true }))
  open()
  expect(sent.at(-1)).toEqual({ subscribe: ['ticks.*'], mode: 'all' })
  deliver(message('ticks.AAPL', 41, { snapshot: true }), { snapshot: 'done', seq: { TICKS: 44 } })
  open()
  expect(sent.at(-1)).toEqual({ subscribe: ['ticks.*'], mode: 'all', since: { TICKS: 44 } })
})

test('the latency is from Kafka to here by the server’s clock, and not of snapshots', () => {
  vi.useFakeTimers({ now: 1_000_000 })
  const { hub, deliver } = manualHub()
  hub.start()
  hub.subscribe('ticks.*', () => {})
  const ahead = 60_000
  const hops = (kafka: number) => ({ kafka: Date.now() + ahead - kafka, api: Date.now() + ahead })
  deliver(message('ticks.AAPL', 1, { hops: hops(90_000), snapshot: true }))
  deliver(message('ticks.AAPL', 2, { hops: hops(8) }), message('ticks.AAPL', 3, { hops: hops(12) }))
  vi.advanceTimersByTime(1000)
  expect(hub.getStatus()).toMatchObject({ latency: { p50: 12, p99: 12 }, rate: 2 })
  hub.stop()
  vi.useRealTimers()
})

test('patterns are those of NATS', () => {
  expect(matches('ticks.*', 'ticks.AAPL')).toBe(true)
  expect(matches('ticks.*', 'ticks.A.B')).toBe(false)
  expect(matches('dlq.>', 'dlq.a.b')).toBe(true)
  expect(matches('dlq.>', 'dlq')).toBe(false)
  expect(matches('pipeline', 'pipeline')).toBe(true)
  const symbols = ['AAPL', 'BRK.B', 'BTC/USD', '^GSPC', 'a-b_c', '100%', 'é']
  expect(symbols.map(token)).toEqual(['AAPL', 'BRK%2EB', 'BTC%2FUSD', '%5EGSPC', 'a-b_c', '100%25', '%C3%A9'])
})
