import '@mantine/core/styles.css'
import './app/page.css'
import { QueryClient } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from '@/app/App'
import { createPageRouter } from '@/app/router'
import { MarketFeed, stocksLoader } from '@/features/market'
import { createApi } from '@/shared/api/client'
import { applyFormats } from '@/shared/settings/settings'
import { StreamHub } from '@/shared/stream'
import { StreamSocket } from '@/shared/stream/socket'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id "root"')

applyFormats()

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
const api = createApi()
const feed = new MarketFeed({
  hub: new StreamHub({ connect: (handlers) => new StreamSocket({ url, ...handlers }) }),
  loadStocks: stocksLoader(api),
})
const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, staleTime: 10_000 } },
})

createRoot(root).render(
  <StrictMode>
    <App api={api} feed={feed} queryClient={queryClient} router={createPageRouter()} />
  </StrictMode>,
)
