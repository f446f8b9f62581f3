import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeSocketClass, FakeWebSocket } from '@/shared/test/fakeWebSocket'
import { backoff } from './backoff'
import type { ServerMessage } from './messages'
import { type Phase, StreamSocket } from './socket'

let phases: Phase[]
let heard: ServerMessage[]
let unreadable: string[]
let socket: StreamSocket

beforeEach(() => {
  vi.useFakeTimers()
  FakeWebSocket.all = []
  phases = []
  heard = []
  unreadable = []
  socket = new StreamSocket({
    url: 'ws://test/ws',
    WebSocket: FakeSocketClass,
    random: () => 1,
    onOpen: () => socket.send({ subscribe: ['ticks.*'] }),
    onMessages: (messages) => heard.push(...messages),
    onPhase: (phase) => phases.push(phase),
    onUnreadable: (reason) => unreadable.push(reason),
  })
  socket.start()
})

afterEach(() => {
  socket.stop()
  vi.useRealTimers()
})

function goLive() {
  FakeWebSocket.last.accept()
  FakeWebSocket.last.deliver({ subscribed: ['ticks.*'] })
}

test('it subscribes on opening, and is live when the server speaks', () => {
  FakeWebSocket.last.accept()
  expect(FakeWebSocket.last.sent).toEqual([{ subscribe: ['ticks.*'] }])
  expect(phases).toEqual([])
  FakeWebSocket.last.deliver([{ subscribed: ['ticks.*'] }, { heartbeat: 1 }])
  expect(phases).toEqual(['live'])
  expect(heard).toEqual([{ subscribed: ['ticks.*'] }, { heartbeat: 1 }])
})

test('it comes back and says again what is wanted', () => {
  goLive()
  FakeWebSocket.last.break()
  expect(phases).toEqual(['live', 'reconnecting'])
  socket.send({ ping: 1 })
  vi.advanceTimersByTime(500)
  expect(FakeWebSocket.all).toHaveLength(2)
  goLive()
  expect(FakeWebSocket.last.sent).toEqual([{ subscribe: ['ticks.*'] }])
  expect(phases).toEqual(['live', 'reconnecting', 'live'])
})

test('a reader who pauses has no connection until it is started again', () => {
  goLive()
  socket.pause()
  vi.advanceTimersByTime(60_000)
  expect(FakeWebSocket.all).toHaveLength(1)
  socket.start()
  goLive()
  expect(phases).toEqual(['live', 'paused', 'reconnecting', 'live'])
})

test('a server that is gone is offline after several tries, and tried on', () => {
  goLive()
  FakeWebSocket.last.break()
  for (let failures = 1; failures <= 4; failures++) {
    vi.advanceTimersByTime(backoff(failures, () => 1))
    FakeWebSocket.last.break()
  }
  expect(phases).toEqual(['live', 'reconnecting', 'offline'])
  const tries = FakeWebSocket.all.length
  socket.retry()
  expect(FakeWebSocket.all).toHaveLength(tries + 1)
  goLive()
  expect(phases.at(-1)).toBe('live')
})

test('a silent connection is given up, and what it says later is not heard', () => {
  goLive()
  const silent = FakeWebSocket.last
  vi.advanceTimersByTime(11_000)
  silent.deliver({ heartbeat: 1 })
  vi.advanceTimersByTime(11_000)
  expect(phases).toEqual(['live'])
  vi.advanceTimersByTime(1_000)
  expect(phases).toEqual(['live', 'reconnecting'])
  const before = heard.length
  silent.deliver({ heartbeat: 2 })
  expect(heard).toHaveLength(before)
})

test('a refusal is no life, and a frame that is no JSON is told', () => {
  FakeWebSocket.last.accept()
  FakeWebSocket.last.deliver({ error: { code: 'full', message: 'too many clients' } })
  expect(phases).toEqual([])
  expect(heard).toHaveLength(1)
  FakeWebSocket.last.deliver('{')
  FakeWebSocket.last.deliver('[1]')
  expect(unreadable).toHaveLength(2)
})

test('a stopped socket opens no other', () => {
  goLive()
  socket.stop()
  vi.advanceTimersByTime(60_000)
  socket.retry()
  expect(FakeWebSocket.all).toHaveLength(1)
})

test('the backoff doubles to a limit, and half of it is chance', () => {
  expect([1, 2, 3, 20].map((failures) => backoff(failures, () => 1))).toEqual([500, 1000, 2000, 15_000])
  expect(backoff(3, () => 0)).toBe(1000)
})
