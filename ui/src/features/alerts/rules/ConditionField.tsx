import { Button, Select, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { read, useApi } from '@/shared/api/client'
import classes from '../alerts.module.css'
import { examples } from './draft'
import type { ConditionProblem } from './problem'

interface ConditionFieldProps {
  value: string
  change: (value: string) => void
  problem: ConditionProblem | null
}

/** The one line of a rule, with beginnings to choose from, and the place where it is wrong. */
export function ConditionField({ value, change, problem }: ConditionFieldProps) {
  const input = useRef<HTMLTextAreaElement>(null)
  const api = useApi()
  const formulas = useQuery({
    queryKey: ['formulas'],
    queryFn: ({ signal }) => read('GET /api/formulas', api.GET('/api/formulas', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const insert = (text: string) => {
    const at = input.current?.selectionStart ?? value.length
    const gap = at > 0 && !/\s$/.test(value.slice(0, at)) ? ' ' : ''
    change(value.slice(0, at) + gap + text + value.slice(input.current?.selectionEnd ?? at))
    input.current?.focus()
  }
  const quantities = [
    { value: 'price', label: 'price' },
    { value: 'volume', label: 'volume' },
    { value: 'average(20, 1m)', label: 'average volume' },
    ...(formulas.data ?? []).map(({ spec, title }) => ({
      value: spec.includes(')') ? spec.replace(')', ', 1m)') : `${spec}(1m)`,
      label: `${spec} · ${title}`,
    })),
  ]
  return (
    <div style={{ display: 'grid', gap: 6 }}>
      <Textarea
        ref={input}
        size="xs"
        label="When"
        required
        autosize
        minRows={1}
        maxRows={4}
        maxLength={256}
        spellCheck={false}
        placeholder="price crosses above 200"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        value={value}
        error={problem?.message}
        onChange={(event) => change(event.currentTarget.value.replaceAll('\n', ' '))}
      />
      {problem?.column !== undefined && value && <Pointed text={value} column={problem.column} />}
      <fieldset className={classes.helpers} style={{ border: 0, padding: 0, margin: 0 }}>
        <legend className={classes.muted}>Begin with</legend>
        {examples.map(({ label, when }) => (
          <Button key={when} size="compact-xs" variant="default" title={when} onClick={() => change(when)}>
            {label}
          </Button>
        ))}
        <Select
          size="xs"
          w={190}
          aria-label="Insert a quantity"
          placeholder="Insert a quantity…"
          searchable
          data={quantities}
          value={null}
          onChange={(text) => text && insert(text)}
        />
      </fieldset>
    </div>
  )
}

/** The condition with a caret under the character at which reading ended. */
export function Pointed({ text, column }: { text: string; column: number }) {
  const at = Math.min(Math.max(0, column - 1), text.length)
  return (
    <pre className={classes.pointed} aria-hidden="true">
      {text.slice(0, at)}
      <mark>{text.slice(at, at + 1) || ' '}</mark>
      {text.slice(at + 1)}
      {`\n${' '.repeat(at)}^ column ${column}`}
    </pre>
  )
}
