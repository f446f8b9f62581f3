import { CloseButton } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './ops.module.css'

export interface OutcomeText {
  tone: 'good' | 'bad'
  text: ReactNode
}

interface OutcomeProps {
  outcome: OutcomeText | null
  close: () => void
  children?: ReactNode
}

/** What came of the last thing that was done here, until it is put away; children are what may follow, such as undo. */
export function Outcome({ outcome, close, children }: OutcomeProps) {
  if (!outcome) return null
  return (
    <div className={classes.outcome} data-tone={outcome.tone}>
      <p role={outcome.tone === 'bad' ? 'alert' : 'status'}>{outcome.text}</p>
      {children}
      <CloseButton size="xs" aria-label="Put away" onClick={close} />
    </div>
  )
}
