import { Button, Group, Textarea } from '@mantine/core'
import { useState } from 'react'
import { formatDateTime } from '@/shared/lib/time'
import { JourneyLink } from '@/shared/ops/JourneyLink'
import { formatBytes } from '@/shared/ops/numbers'
import { Facts, layOut, Payload } from '@/shared/ops/pieces'
import { Failed, Loading } from '@/shared/panel/Panel'
import { type Letter, useLetter } from './data'
import classes from './letters.module.css'

interface LetterViewProps {
  id: number
  busy: boolean
  replay: (value?: string) => void
  discard: () => void
}

/** All of one dead letter, and what can be done with it. */
export function LetterView({ id, busy, replay, discard }: LetterViewProps) {
  const letter = useLetter(id)
  if (letter.isPending) return <Loading what="the dead letter" />
  if (letter.error) {
    return <Failed what="The dead letter" error={letter.error} retry={() => void letter.refetch()} />
  }
  return <Shown letter={letter.data} busy={busy} replay={replay} discard={discard} />
}

function Shown({ letter, busy, replay, discard }: Omit<LetterViewProps, 'id'> & { letter: Letter }) {
  const [value, setValue] = useState<string | null>(null)
  const place = `${letter.topic}/${letter.partition}/${letter.offset}`
  const text = letter.valueText ?? ''
  const open = letter.state === 'open'
  return (
    <section className={classes.view} aria-label={`Dead letter ${place}`}>
      <p className={classes.detail}>{letter.detail}</p>
      <Facts
        facts={[
          ['Reason', letter.reason],
          ['Refused by', letter.function ?? 'bridge'],
          ['Journey', <JourneyLink key="journey" position={place} />],
          ['Key', letter.key ?? 'none, or withheld'],
          ['Produced', formatDateTime(letter.produced)],
          ['Stored', formatDateTime(letter.time)],
          ['Size', formatBytes(letter.valueBytes)],
          ...(letter.cut ? [['Left out', letter.cut] as const] : []),
          ...letter.headers.map(({ key, value }) => [`Header ${key}`, value] as const),
        ]}
      />
      {value === null ? (
        <Payload label="Value" value={letter.valueText ?? letter.valueJson ?? letter.valueBase64 ?? ''} />
      ) : (
        <Textarea
          size="xs"
          label="Corrected value"
          description="It is sent in place of the old one, which stays here."
          autosize
          minRows={4}
          maxRows={16}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
      )}
      {letter.stack && <Payload label="Stack" value={letter.stack} />}
      {letter.history.length > 0 && (
        <ol className={classes.history} aria-label="What was done with it">
          {letter.history.map((act) => (
            <li key={`${act.at} ${act.state}`}>
              {formatDateTime(act.at)} {act.state}
              {act.corrected && ', corrected'}
              {act.reason && `: ${act.reason}`}
              {act.position && (
                <>
                  {' to '}
                  <JourneyLink position={act.position} />
                </>
              )}
            </li>
          ))}
        </ol>
      )}
      {open && (
        <Group gap={8}>
          <Button size="compact-xs" loading={busy} onClick={() => replay(value ?? undefined)}>
            {value === null ? 'Replay as it was' : 'Replay corrected'}
          </Button>
          {value === null ? (
            <Button size="compact-xs" variant="default" onClick={() => setValue(layOut(text))}>
              Correct…
            </Button>
          ) : (
            <Button size="compact-xs" variant="default" onClick={() => setValue(null)}>
              As it was
            </Button>
          )}
          <Button size="compact-xs" variant="default" onClick={discard}>
            Discard…
          </Button>
        </Group>
      )}
    </section>
  )
}
