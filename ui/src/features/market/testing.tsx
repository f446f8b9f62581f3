import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import type { Stock, StocksResponse } from '@/shared/api/client'
import type { DataMessage, ServerMessage } from '@/shared/stream/messages'
import type { Phase } from '@/shared/stream/socket'
import { FeedProvider } from './stream/FeedContext'
import type { LoadStocks } from './stream/loadStocks'
import { MarketFeed } from './stream/marketFeed'
import { PriceStore } from './stream/priceStore'

/** A row of /api/stocks of which only what matters is given. */
export function stock(symbol: string, given: Partial<Stock> = {}): Stock {
  return {
    ...{ symbol, price: 100, volume: 10, timestamp: new Date().toISOString(), seq: 10, reference: 99 },
    ...{ change: null, changePercent: null, open: null, high: null, low: null, dayVolume: 1000, dayTicks: 1 },
    ...given,
  }
}

export function answer(...stocks: Stock[]): StocksResponse {
  return { stocks, asOf: new Date().toISOString() }
}

export function tick(
  symbol: string,
  seq: number,
  price: number,
  given: Partial<DataMessage['data']> = {},
): DataMessage {
  const data = { symbol, price, volume: 1, timestamp: new Date().toISOString(), ...given }
  return { subject: `ticks.${symbol}`, seq, data }
}

/** A store whose frames the test draws. */
export function manualStore() {
  let due: (() => void) | undefined
  const store = new PriceStore((flush) => {
    due = flush
  })
  const frame = () => {
    const flush = due
    due = undefined
    flush?.()
  }
  return { store, frame }
}

/** A feed whose server, connection and frames are the test's. */
export function manualFeed(loadStocks: LoadStocks) {
  const { store, frame } = manualStore()
  let handlers: Parameters<ConstructorParameters<typeof MarketFeed>[0]['connect']>[0] | undefined
  const calls: string[] = []
  const feed = new MarketFeed({
    store,
    loadStocks,
    connect: (given) => {
      handlers = given
      return {
        start: () => calls.push('start'),
        stop: () => calls.push('stop'),
        retry: () => calls.push('retry'),
        subscribe: (...subjects) => calls.push(`subscribe ${subjects}`),
      }
    },
  })
  return {
    feed,
    calls,
    frame: () => act(frame),
    phase: (phase: Phase) => act(() => handlers?.onPhase(phase)),
    deliver: (...messages: ServerMessage[]) => act(() => handlers?.onMessages(messages)),
  }
}

export function renderWith(feed: MarketFeed, view: ReactNode) {
  return render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <FeedProvider value={feed}>{view}</FeedProvider>
      </QueryClientProvider>
    </MantineProvider>,
  )
}
