// What programs use, run by Node: the client that is generated from
// docs/openapi.json, and the reference client of the websocket.
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from '@playwright/test'
import createClient from 'openapi-fetch'
import { WebSocket } from 'undici'
import { follow, type Message } from '../../docs/examples/client.ts'
import type { paths } from '../src/shared/api/schema'

const symbol = 'TS/CLIENT' // one whose path must be encoded

/** The answer in what a client was given, or the test fails with the problem. */
async function answer<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked
  if (data === undefined) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`)
  return data
}

test('the generated client goes round the API', async ({ baseURL }) => {
  const api = createClient<paths>({ baseUrl: baseURL ?? '' })
  const tick = (price: number) => ({ symbol, price, volume: 1, timestamp: new Date().toISOString() })
  const own = { path: { symbol } }

  const sent = await answer(api.POST('/api/ticks', { body: tick(10) }))
  expect(sent.accepted).toBe(1)
  const batch = await answer(api.POST('/api/ticks', { body: { ticks: [tick(11), tick(-1)] } }))
  expect(batch.results.map((r) => r.reason)).toEqual([undefined, 'bad_price'])
  await expect(async () => {
    const stock = await answer(api.GET('/api/stocks/{symbol}', { params: own }))
    expect(stock.price).toBe(11)
    const page = await answer(
      api.GET('/api/stocks/{symbol}/ticks', { params: { ...own, query: { order: 'asc' } } }),
    )
    expect(page.ticks?.map((t) => t.price).slice(-2)).toEqual([10, 11])
  }).toPass()
  const [topic = '', partition, offset] = sent.results[0]?.position?.split('/') ?? []
  const path = { topic, partition: Number(partition), offset: Number(offset) }
  const journey = await answer(api.GET('/api/journey/{topic}/{partition}/{offset}', { params: { path } }))
  expect(journey.symbol).toBe(symbol)

  const stocks = await answer(api.GET('/api/stocks'))
  expect(stocks.stocks?.some((s) => s.symbol === symbol)).toBe(true)
  const named = stocks.stocks?.find((s) => s.symbol !== symbol)?.symbol ?? ''
  const query = { interval: '1m', fill: 'previous', limit: 5 } as const
  const candles = await answer(
    api.GET('/api/stocks/{symbol}/candles', { params: { path: { symbol: named }, query } }),
  )
  expect(candles.candles).toHaveLength(5)
  const specs = { interval: '1m', spec: ['sma(3)', 'vwap'] } as const
  const series = await answer(
    api.GET('/api/stocks/{symbol}/indicators', {
      params: { path: { symbol: named }, query: { ...specs, spec: [...specs.spec] } },
    }),
  )
  expect(series.names).toHaveLength(2)
  const csv = await answer(api.GET('/api/stocks/{symbol}/ticks.csv', { params: own, parseAs: 'text' }))
  expect(csv).toContain(`${symbol},11,`)
  expect((await answer(api.GET('/api/functions'))).functions.map((f) => f.name)).toContain('candles')
  expect((await answer(api.GET('/api/pipeline'))).stages.length).toBeGreaterThan(3)
})

test('the generated client keeps a rule, and reads what is wrong with one', async ({ baseURL }) => {
  const api = createClient<paths>({ baseUrl: baseURL ?? '' })
  const id = 'ts-client'
  const rule = { id, symbol, when: 'price above 1000', severity: 'critical' } as const
  const one = { path: { id } }
  await api.DELETE('/api/rules/{id}', { params: one }) // left over from a run that was broken off

  const created = await api.POST('/api/rules', { body: rule })
  expect(created.response.status).toBe(201)
  const tag = created.response.headers.get('etag') ?? ''
  expect((await answer(api.GET('/api/rules/{id}', { params: one }))).when).toBe(rule.when)
  const matched = { ...one, header: { 'If-Match': tag } }
  const put = await answer(
    api.PUT('/api/rules/{id}', { params: matched, body: { ...rule, when: 'price above 2000' } }),
  )
  expect(put.when).toBe('price above 2000')
  const late = await api.DELETE('/api/rules/{id}', { params: matched })
  expect(late.error?.status).toBe(412)
  expect((await api.DELETE('/api/rules/{id}', { params: one })).response.status).toBe(204)
  expect((await api.GET('/api/rules/{id}', { params: one })).error?.status).toBe(404)

  const wrong = await api.POST('/api/rules', { body: { ...rule, when: 'price abve 3' } })
  expect(wrong.response.headers.get('content-type')).toContain('application/problem+json')
  expect(wrong.error?.errors?.[0]?.location).toBe('body.when')
})

/** A way to the system that can be cut. */
async function way(to: string) {
  const target = new URL(to)
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket)
      socket.on('error', () => {}) // its close follows
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `ws://127.0.0.1:${port}/ws`,
    cut: () => {
      for (const socket of open) socket.destroy()
    },
    close: () => server.close(),
  }
}

test('the reference client goes on where it was after each break, and loses nothing', async ({ baseURL }) => {
  test.setTimeout(300_000)
  const road = await way(baseURL ?? '')
  const Socket = WebSocket as unknown as new (url: string) => globalThis.WebSocket
  const steady: number[] = []
  const broken: number[] = []
  let snapshots = 0
  const faults: unknown[] = []
  let connections = 0
  class Counted extends WebSocket {
    constructor(url: string) {
      super(url)
      connections++
    }
  }
  const keep = (list: number[]) => (m: Message) => {
    if (m.snapshot) snapshots++
    else list.push(m.seq)
  }
  const onGap = (word: unknown) => faults.push(word)
  const onError = onGap
  const stops = [
    follow(`${baseURL?.replace(/^http/, 'ws')}/ws`, ['ticks.>'], {
      onMessage: keep(steady),
      onGap,
      onError,
      WebSocket: Socket,
    }),
    follow(road.url, ['ticks.>'], {
      onMessage: keep(broken),
      onGap,
      onError,
      WebSocket: Counted as unknown as typeof Socket,
    }),
  ]
  try {
    for (let cut = 1; cut <= 3; cut++) {
      const before = broken.length
      await expect.poll(() => broken.length, { timeout: 60_000 }).toBeGreaterThan(before + 10)
      road.cut()
      await expect.poll(() => connections, { timeout: 60_000 }).toBe(cut + 1)
    }
    const enough = Math.max(...steady)
    await expect.poll(() => Math.max(...broken), { timeout: 60_000 }).toBeGreaterThan(enough)
    const from = Math.max(steady[0] ?? 0, broken[0] ?? 0)
    const both = (list: number[]) => list.filter((seq) => seq >= from && seq <= enough)
    expect(both(broken)).toEqual(both(steady))
    expect(both(broken).length).toBeGreaterThan(30)
    expect(snapshots).toBeGreaterThan(1)
    expect(faults).toEqual([])
  } finally {
    for (const stop of stops) stop()
    road.close()
  }
})

test('the reference client says that it was refused, and does not try again', async ({ baseURL }) => {
  const refused = await new Promise<{ code: string }>((onError) => {
    const Socket = WebSocket as unknown as new (url: string) => globalThis.WebSocket
    follow(`${baseURL?.replace(/^http/, 'ws')}/ws`, ['tocks.>'], {
      onMessage: () => {},
      onError,
      WebSocket: Socket,
    })
  })
  expect(refused.code).toBe('bad_subject')
})
