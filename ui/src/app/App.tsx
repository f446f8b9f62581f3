import { MantineProvider } from '@mantine/core'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useEffect } from 'react'
import { FeedProvider, type MarketFeed, MarketScreen } from '@/features/market'
import classes from './App.module.css'
import { Header } from './Header'
import { cssVariables, theme } from './theme'

interface AppProps {
  feed: MarketFeed
  queryClient: QueryClient
}

export function App({ feed, queryClient }: AppProps) {
  useEffect(() => {
    feed.start()
    return () => feed.stop()
  }, [feed])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <FeedProvider value={feed}>
          <div className={classes.app}>
            <Header />
            <main className={classes.main}>
              <MarketScreen />
            </main>
          </div>
        </FeedProvider>
      </QueryClientProvider>
    </MantineProvider>
  )
}
