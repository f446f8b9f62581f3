import { Button, Group, JsonInput } from '@mantine/core'
import { useState } from 'react'
import { layOut } from '@/shared/ops/pieces'
import classes from '../FunctionsScreen.module.css'

type ParamsValue = Record<string, unknown> | null

interface ParamsProps {
  params: ParamsValue
  pending: boolean
  apply: (params: ParamsValue) => void
}

/** The function's own settings. The server checks them before they are stored, and says what is wrong. */
export function Params({ params, pending, apply }: ParamsProps) {
  const stored = params === null ? '{}' : layOut(params)
  const [edited, setEdited] = useState<string | null>(null)
  const text = edited ?? stored
  const read = parse(text)
  return (
    <div className={classes.section}>
      <h3>Parameters</h3>
      <JsonInput
        aria-label="Parameters as JSON"
        size="xs"
        autosize
        minRows={2}
        maxRows={14}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        value={text}
        error={read === undefined && 'This is no JSON object'}
        onChange={setEdited}
      />
      <Group gap={8}>
        <Button
          size="compact-xs"
          disabled={edited === null || read === undefined}
          loading={pending}
          onClick={() => {
            if (read !== undefined) apply(read)
          }}
        >
          Apply
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          disabled={params === null}
          onClick={() => {
            setEdited(null)
            apply(null)
          }}
        >
          Reset to defaults
        </Button>
        {edited !== null && edited !== stored && (
          <Button size="compact-xs" variant="subtle" onClick={() => setEdited(null)}>
            As stored
          </Button>
        )}
      </Group>
      <p className={classes.muted}>
        {params === null ? 'It runs with its defaults.' : 'What is left out has its default.'} A change is
        taken up while it runs, from a snapshot.
      </p>
    </div>
  )
}

/** undefined if the text is no JSON object */
function parse(text: string): ParamsValue | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && !Array.isArray(value) ? (value as ParamsValue) : undefined
  } catch {
    return undefined
  }
}
