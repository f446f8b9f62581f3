import { Button, NumberInput } from '@mantine/core'
import { useState } from 'react'
import classes from '../FunctionsScreen.module.css'

interface ScaleProps {
  wanted: number
  pending: boolean
  apply: (shards: number) => void
}

/** How many shares the keys are divided into. */
export function Scale({ wanted, pending, apply }: ScaleProps) {
  const [shards, setShards] = useState<number | string>(wanted)
  const good = typeof shards === 'number' && shards >= 1
  return (
    <form
      className={classes.section}
      onSubmit={(event) => {
        event.preventDefault()
        if (good) apply(shards)
      }}
    >
      <h3>Scale</h3>
      <div className={classes.row}>
        <NumberInput
          size="xs"
          w={110}
          label="Shards"
          min={1}
          max={64}
          allowDecimal={false}
          value={shards}
          onChange={setShards}
        />
        <Button
          size="xs"
          variant="default"
          type="submit"
          disabled={!good || shards === wanted}
          loading={pending}
        >
          Scale to {good ? shards : '…'}
        </Button>
      </div>
      <p className={classes.muted}>The states move with their keys; each result is still published once.</p>
    </form>
  )
}
