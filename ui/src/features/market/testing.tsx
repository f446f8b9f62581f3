import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router'
import { act, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { type Api, ApiProvider, type Stock, type StocksResponse } from '@/shared/api/client'
import { StreamHub, StreamProvider, token } from '@/shared/stream'
import type { SocketHandlers } from '@/shared/stream/hub'
import type { ServerMessage, TickMessage } from '@/shared/stream/messages'
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
    ...{ ageSeconds: 0 },
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
  given: Partial<TickMessage['data']> = {},
): TickMessage {
  const data = { symbol, price, volume: 1, timestamp: new Date().toISOString(), ...given }
  return { subject: `ticks.${token(symbol)}`, seq, data }
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
  let handlers: SocketHandlers | undefined
  const calls: string[] = []
  const sent: object[] = []
  const hub = new StreamHub({
    connect: (given) => {
      handlers = given
      return {
        start: () => calls.push('start'),
        stop: () => calls.push('stop'),
        pause: () => calls.push('pause'),
        retry: () => calls.push('retry'),
        send: (command) => sent.push(command),
      }
    },
  })
  const feed = new MarketFeed({ store, loadStocks, hub })
  return {
    feed,
    hub,
    calls,
    sent,
    frame: () => act(frame),
    connect: () => act(() => handlers?.onOpen?.()),
    phase: (phase: Phase) => act(() => handlers?.onPhase(phase)),
    deliver: (...messages: ServerMessage[]) => act(() => handlers?.onMessages(messages)),
  }
}

type Answers = Partial<Record<string, unknown>>

/** An API that answers GET by path; what is not given is not there. */
export function answeringApi(answers: Answers = {}): Api {
  const GET = async (path: string) => {
    const data = answers[path]
    if (data !== undefined) return { data, response: new Response() }
    return { error: { title: 'Not Found' }, response: new Response(null, { status: 404 }) }
  }
  return { GET } as unknown as Api
}

/** Renders a view as the app does, at an address of its own. */
export async function renderWith(feed: MarketFeed, view: ReactNode, api = answeringApi()) {
  const root = createRootRoute({ component: () => view })
  const history = createMemoryHistory({ initialEntries: ['/'] })
  const routeTree = root.addChildren([
    createRoute({ getParentRoute: () => root, path: '/' }),
    createRoute({ getParentRoute: () => root, path: '/s/$symbol' }),
  ])
  const router = createRouter({ routeTree, history })
  await router.load()
  const rendered = render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <ApiProvider value={api}>
          <StreamProvider value={feed.hub}>
            <FeedProvider value={feed}>
              <RouterProvider router={router as never} />
            </FeedProvider>
          </StreamProvider>
        </ApiProvider>
      </QueryClientProvider>
    </MantineProvider>,
  )
  return { ...rendered, router }
}
