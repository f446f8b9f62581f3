import '@mantine/core/styles.css'
import { QueryClient } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from '@/app/App'
import { MarketFeed, stocksLoader } from '@/features/market'
import { createApi } from '@/shared/api/client'
import { StreamSocket } from '@/shared/stream/socket'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id "root"')

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
const feed = new MarketFeed({
  connect: (handlers) => new StreamSocket({ url, ...handlers }),
  loadStocks: stocksLoader(createApi()),
})

createRoot(root).render(
  <StrictMode>
    <App feed={feed} queryClient={new QueryClient()} />
  </StrictMode>,
)
