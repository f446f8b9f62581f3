import { Button, Code, Loader, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './MarketScreen.module.css'

/** What the screen shows while it has no prices: why, and what to do. */
function State({ children }: { children: ReactNode }) {
  return (
    <Stack className={classes.state} align="center" gap="sm">
      {children}
    </Stack>
  )
}

export function LoadingState() {
  return (
    <State>
      <Loader size="sm" type="dots" aria-hidden />
      <Text role="status">Loading prices…</Text>
    </State>
  )
}

export function EmptyState() {
  return (
    <State>
      <Title order={2} size="h4">
        No ticks yet
      </Title>
      <Text>
        Start a producer, for example <Code>streamflow simulate</Code>. Prices appear here by themselves as
        they come.
      </Text>
    </State>
  )
}

interface ErrorStateProps {
  error: Error
  retry: () => void
}

export function ErrorState({ error, retry }: ErrorStateProps) {
  return (
    <State>
      <Title order={2} size="h4">
        The prices cannot be read
      </Title>
      <Text role="alert">{error.message}</Text>
      <Text c="dimmed" size="sm">
        Check that <Code>streamflow</Code> is running and that this page came from it. The page tries again by
        itself every few seconds.
      </Text>
      <Button size="xs" onClick={retry}>
        Try again now
      </Button>
    </State>
  )
}
