import { Code } from '@mantine/core'
import { Empty, Failed, Loading } from '@/shared/panel/Panel'

/** What the screen shows while it has no prices: why, and what to do. */
export function LoadingState() {
  return <Loading what="prices" />
}

export function EmptyState() {
  return (
    <Empty title="No ticks yet">
      Start a producer, for example <Code>streamflow simulate</Code>. Prices appear here by themselves as they
      come.
    </Empty>
  )
}

interface ErrorStateProps {
  error: Error
  retry: () => void
}

export function ErrorState({ error, retry }: ErrorStateProps) {
  return <Failed what="The prices" error={error} retry={retry} />
}
