import { Button, Code, Loader } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './Panel.module.css'

interface PanelProps {
  title: string
  /** what stands on the right of the title */
  actions?: ReactNode
  children: ReactNode
  className?: string
}

/** A titled part of a screen: a landmark, so that it can be jumped to. */
export function Panel({ title, actions, children, className = '' }: PanelProps) {
  return (
    <section className={`${classes.panel} ${className}`} aria-label={title}>
      <div className={classes.head}>
        <h2 className={classes.title}>{title}</h2>
        {actions && <div className={classes.actions}>{actions}</div>}
      </div>
      {children}
    </section>
  )
}

/** What a panel shows while it reads for the first time. */
export function Loading({ what }: { what: string }) {
  return (
    <div className={classes.state}>
      <Loader size="sm" type="dots" aria-hidden />
      <p role="status">Loading {what}…</p>
    </div>
  )
}

interface EmptyProps {
  title: string
  /** what to do, so that there is something */
  children: ReactNode
}

/** What a panel shows when there is nothing to show. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div className={classes.state}>
      <h2 className={classes.stateTitle}>{title}</h2>
      <p>{children}</p>
    </div>
  )
}

interface FailedProps {
  what: string
  error: Error
  retry?: () => void
}

/** What a panel shows when it cannot be read: what is wrong, and how to go on. */
export function Failed({ what, error, retry }: FailedProps) {
  return (
    <div className={classes.state}>
      <h2 className={classes.stateTitle}>{what} cannot be read</h2>
      <p role="alert">{error.message}</p>
      <p className={classes.hint}>
        Check that <Code>streamflow</Code> is running and that this page came from it.
      </p>
      {retry && (
        <Button size="xs" onClick={retry}>
          Try again now
        </Button>
      )}
    </div>
  )
}

/** One line above what is shown: that it is old, or that part of it is missing. */
export function Notice({ children, tone = 'warn' }: { children: ReactNode; tone?: 'warn' | 'info' }) {
  return (
    <div role="status" className={classes.notice} data-tone={tone}>
      {children}
    </div>
  )
}
