import { CopyButton, UnstyledButton } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './ops.module.css'

export type Tone = 'good' | 'warn' | 'bad' | 'rest'

/** A word with a mark whose form and colour say the same. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={classes.state} data-tone={tone}>
      <span className={classes.dot} aria-hidden="true" />
      <span>{children}</span>
    </span>
  )
}

/** Names and what they are, below each other. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <Pair key={name} name={name} value={value} />
      ))}
    </dl>
  )
}

function Pair({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}

export interface Figure {
  name: string
  value: ReactNode
  tone?: 'warn' | 'bad' | undefined
  title?: string
}

/** The few numbers that matter, in a row. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className={classes.figures}>
      {figures.map(({ name, value, tone, title }) => (
        <div key={name} data-tone={tone} title={title}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What a message holds, as it can be read: JSON is laid out, all else stays as it is. */
export function Payload({ value, label = 'Payload' }: { value: unknown; label?: string }) {
  const text = layOut(value)
  return (
    <div>
      <div className={classes.payloadHead}>
        <span>{label}</span>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <UnstyledButton fz={11.5} onClick={copy} aria-label={`Copy ${label}`}>
              {copied ? 'Copied' : 'Copy'}
            </UnstyledButton>
          )}
        </CopyButton>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className={classes.payload} tabIndex={0} aria-label={label}>
        <pre>{text}</pre>
      </section>
    </div>
  )
}

export function layOut(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2) ?? ''
  try {
    return JSON.stringify(JSON.parse(value), null, 2)
  } catch {
    return value
  }
}

/** The heading of a screen whose navigation says its name already. */
export function ScreenTitle({ children }: { children: ReactNode }) {
  return <h1 className={classes.hidden}>{children}</h1>
}
