import { Button, Checkbox, Group, SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'
import { formatCount } from '@/shared/lib/format'
import { formatDateTime } from '@/shared/lib/time'
import { Outcome, type OutcomeText } from '@/shared/ops/Outcome'
import { State, type Tone } from '@/shared/ops/pieces'
import { type Head, More, Table, tableClasses } from '@/shared/ops/Table'
import { Empty, Failed, Loading } from '@/shared/panel/Panel'
import { useSubject } from '@/shared/stream'
import { DiscardDialog } from './DiscardDialog'
import {
  type Letter,
  type LetterState,
  sayResults,
  useDiscardLetters,
  useLetters,
  useRefreshLetters,
  useReplayLetters,
} from './data'
import { LetterView } from './LetterView'
import classes from './letters.module.css'

const tones: Record<LetterState, Tone> = { open: 'bad', sending: 'warn', replayed: 'good', discarded: 'rest' }

/** What was refused: look at it, send it again, corrected if need be, or discard it with a reason. */
export function DeadLetters({ of }: { of?: string }) {
  const [state, setState] = useState<LetterState | ''>('open')
  const [reason, setReason] = useState('')
  const letters = useLetters({ state: state || undefined, reason: reason.trim() || undefined, function: of })
  const refresh = useRefreshLetters()
  useSubject('dlq.>', (messages) => {
    if (messages.some(({ snapshot }) => !snapshot)) refresh()
  })
  const [open, setOpen] = useState<number | null>(null)
  const [picked, setPicked] = useState<ReadonlySet<number>>(new Set())
  const [discarding, setDiscarding] = useState<readonly number[]>([])
  const [outcome, setOutcome] = useState<OutcomeText | null>(null)
  const replay = useReplayLetters()
  const discard = useDiscardLetters()
  const bad = (error: Error) => setOutcome({ tone: 'bad', text: error.message })
  const replayAll = (ids: number[], value?: string) =>
    replay.mutate(value === undefined ? { ids } : { ids, value }, {
      onSuccess: (answer) => {
        setOutcome({ tone: answer.failed > 0 ? 'bad' : 'good', text: sayResults('replayed', answer) })
        setPicked(new Set())
      },
      onError: bad,
    })
  const discardAll = (ids: readonly number[], why: string) =>
    discard.mutate(
      { ids: [...ids], reason: why },
      {
        onSuccess: (answer) => {
          setOutcome({ tone: answer.failed > 0 ? 'bad' : 'good', text: sayResults('discarded', answer) })
          setPicked(new Set())
          setDiscarding([])
        },
        onError: bad,
      },
    )

  const items = letters.data?.pages.flatMap((page) => page.items) ?? []
  const selected = items.filter(({ id }) => picked.has(id)).map(({ id }) => id)
  const pick = (id: number, on: boolean) =>
    setPicked((before) => {
      const next = new Set(before)
      if (on) next.add(id)
      else next.delete(id)
      return next
    })
  return (
    <div className={classes.letters}>
      <Outcome outcome={outcome} close={() => setOutcome(null)} />
      <div className={classes.bar}>
        <SegmentedControl
          size="xs"
          aria-label="State of dead letters"
          data={[
            { value: 'open', label: 'Open' },
            { value: 'replayed', label: 'Replayed' },
            { value: 'discarded', label: 'Discarded' },
            { value: '', label: 'All' },
          ]}
          value={state}
          onChange={(value) => setState(value as LetterState | '')}
        />
        {!of && (
          <TextInput
            size="xs"
            w={190}
            aria-label="Reason"
            placeholder="Reason, as missing_field"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        <Group gap={6} ml="auto">
          <Button
            size="compact-xs"
            variant="default"
            disabled={selected.length === 0}
            loading={replay.isPending}
            onClick={() => replayAll(selected)}
          >
            Replay {selected.length > 0 ? formatCount(selected.length) : ''}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            disabled={selected.length === 0}
            onClick={() => setDiscarding(selected)}
          >
            Discard {selected.length > 0 ? formatCount(selected.length) : ''}
          </Button>
        </Group>
      </div>
      {letters.isPending && <Loading what="dead letters" />}
      {letters.error && !letters.data && (
        <Failed what="Dead letters" error={letters.error} retry={() => void letters.refetch()} />
      )}
      {letters.data && items.length === 0 && (
        <Empty title={state === 'open' ? 'Nothing is open' : 'None of these'}>
          {state === 'open'
            ? 'No message waits to be looked at. What is refused comes here by itself.'
            : 'Choose another state or reason to see others.'}
        </Empty>
      )}
      {items.length > 0 && (
        <Table label="Dead letters" heads={heads}>
          {items.map((letter) => (
            <LetterRow
              key={letter.id}
              letter={letter}
              picked={picked.has(letter.id)}
              pick={pick}
              open={open === letter.id}
              toggle={() => setOpen(open === letter.id ? null : letter.id)}
            />
          ))}
        </Table>
      )}
      <More pages={letters} />
      {open !== null && items.some(({ id }) => id === open) && (
        <LetterView
          key={open}
          id={open}
          busy={replay.isPending}
          replay={(value) => replayAll([open], value)}
          discard={() => setDiscarding([open])}
        />
      )}
      {discarding.length > 0 && (
        <DiscardDialog
          count={discarding.length}
          busy={discard.isPending}
          close={() => setDiscarding([])}
          discard={(why) => discardAll(discarding, why)}
        />
      )}
    </div>
  )
}

const heads: Head[] = [
  { label: 'Pick', quiet: true },
  { label: 'Place' },
  { label: 'State' },
  { label: 'Reason' },
  { label: 'Key' },
  { label: 'Refused by' },
  { label: 'Time' },
]

interface LetterRowProps {
  letter: Letter
  picked: boolean
  pick: (id: number, on: boolean) => void
  open: boolean
  toggle: () => void
}

function LetterRow({ letter, picked, pick, open, toggle }: LetterRowProps) {
  const place = `${letter.topic}/${letter.partition}/${letter.offset}`
  return (
    <tr data-selected={open || undefined} data-letter={letter.id}>
      <td>
        <Checkbox
          size="xs"
          aria-label={`Pick ${place}`}
          checked={picked}
          disabled={letter.state !== 'open'}
          onChange={(event) => pick(letter.id, event.currentTarget.checked)}
        />
      </td>
      <th scope="row">
        <button type="button" className={tableClasses.open} data-open aria-expanded={open} onClick={toggle}>
          {place}
        </button>
      </th>
      <td>
        <State tone={tones[letter.state]}>{letter.state}</State>
      </td>
      <td title={letter.detail}>{letter.reason}</td>
      <td className={tableClasses.mono}>{letter.key ?? '–'}</td>
      <td>{letter.function ?? 'bridge'}</td>
      <td>{formatDateTime(letter.time)}</td>
    </tr>
  )
}
