import { MantineProvider } from '@mantine/core'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { FeedProvider, type MarketFeed } from '@/features/market'
import { type Api, ApiProvider } from '@/shared/api/client'
import { useSettings } from '@/shared/settings/settings'
import { listenToKeys } from '@/shared/shortcuts/shortcuts'
import { StreamProvider } from '@/shared/stream'
import type { createPageRouter } from './router'
import { cssVariables, theme } from './theme'

interface AppProps {
  api: Api
  feed: MarketFeed
  queryClient: QueryClient
  router: ReturnType<typeof createPageRouter>
}

export function App({ api, feed, queryClient, router }: AppProps) {
  const maxRate = useSettings((settings) => settings.maxRate)
  useEffect(() => feed.conflate(maxRate), [feed, maxRate])
  useEffect(() => {
    feed.start()
    feed.hub.start()
    return () => {
      feed.stop()
      feed.hub.stop()
    }
  }, [feed])
  useEffect(() => listenToKeys(document), [])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <ApiProvider value={api}>
          <StreamProvider value={feed.hub}>
            <FeedProvider value={feed}>
              <RouterProvider router={router} />
            </FeedProvider>
          </StreamProvider>
        </ApiProvider>
      </QueryClientProvider>
    </MantineProvider>
  )
}
