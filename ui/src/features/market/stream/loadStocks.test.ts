import { expect, test, vi } from 'vitest'
import { createApi } from '@/shared/api/client'
import { answer, stock } from '../testing'
import { stocksLoader } from './loadStocks'

const signal = new AbortController().signal

function loaderFor(respond: () => Promise<Response>) {
  vi.stubGlobal('fetch', vi.fn(respond))
  return stocksLoader(createApi('http://server.test'))
}

test('it returns the stocks and the server’s time', async () => {
  const date = 'Fri, 02 Jan 2026 15:04:05 GMT'
  const load = loaderFor(async () => Response.json(answer(stock('BRK.B')), { headers: { date } }))
  const { response, date: time } = await load(signal)
  expect(response.stocks?.[0]?.symbol).toBe('BRK.B')
  expect(time).toBe(Date.parse(date))
})

test('a refusal tells the status and the reason', async () => {
  const problem = { status: 503, title: 'Service Unavailable', detail: 'NATS is not connected' }
  const load = loaderFor(async () => Response.json(problem, { status: 503 }))
  await expect(load(signal)).rejects.toThrow('GET /api/stocks with 503: NATS is not connected')
})

test('a server that is away is named as that', async () => {
  const load = loaderFor(async () => {
    throw new TypeError('Failed to fetch')
  })
  await expect(load(signal)).rejects.toThrow('The API cannot be reached (GET /api/stocks).')
})
