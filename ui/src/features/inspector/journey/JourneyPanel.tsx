import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { formatDateTime } from '@/shared/lib/time'
import { formatMs } from '@/shared/ops/numbers'
import { Facts, Payload } from '@/shared/ops/pieces'
import { Table, tableClasses } from '@/shared/ops/Table'
import { Empty, Failed, Loading, Panel } from '@/shared/panel/Panel'
import classes from '../inspector.module.css'
import { type Journey, readPosition, useJourney } from './data'
import { Waterfall } from './Waterfall'

interface JourneyPanelProps {
  /** as the address has it: topic/partition/offset */
  asked: string | undefined
  show: (position: string | undefined) => void
}

/** The way of one message, from its record in Kafka to everything that was made of it. */
export function JourneyPanel({ asked, show }: JourneyPanelProps) {
  const position = asked ? readPosition(asked) : null
  const journey = useJourney(position)
  return (
    <Panel
      title="Journey"
      className={classes.side ?? ''}
      actions={<Lookup key={asked} asked={asked ?? ''} show={show} />}
    >
      {!asked && (
        <Empty title="Which message?">
          Choose one in the log, and then its journey; or write its place in Kafka above, such as{' '}
          <code>stock_ticks/0/77</code>.
        </Empty>
      )}
      {asked && !position && (
        <Empty title="This is no place in Kafka">
          A place is topic/partition/offset, such as <code>stock_ticks/0/77</code>.
        </Empty>
      )}
      {position && journey.isPending && <Loading what={`the way of ${asked}`} />}
      {position && journey.error && (
        <Failed what={`The way of ${asked}`} error={journey.error} retry={() => void journey.refetch()} />
      )}
      {position && journey.data && (
        <Way journey={journey.data} again={() => void journey.refetch()} busy={journey.isFetching} />
      )}
    </Panel>
  )
}

function Lookup({ asked, show }: { asked: string; show: (position: string | undefined) => void }) {
  const [text, setText] = useState(asked)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    show(text.trim() || undefined)
  }
  return (
    <form onSubmit={submit} className={classes.lookup}>
      <TextInput
        size="xs"
        w={190}
        aria-label="Place in Kafka"
        placeholder="topic/partition/offset"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" variant="default">
        Show
      </Button>
    </form>
  )
}

function Way({ journey, again, busy }: { journey: Journey; again: () => void; busy: boolean }) {
  const { hops, results, missing, deadLetter, tick, symbol, subject, sequence, position, traceId } = journey
  const [open, setOpen] = useState<string | null>(null)
  const keyOf = (at: number) => `${results[at]?.subject} ${results[at]?.sequence} ${results[at]?.kind}`
  return (
    <>
      <div className={classes.part}>
        <Facts
          facts={[
            ['Position', position],
            ...(symbol ? [['Symbol', symbol] as const] : []),
            ['Subject', subject ? `${subject}, sequence ${sequence}` : 'not in the stream'],
            ['Produced', formatDateTime(hops[0]?.at)],
            ...(traceId ? [['Trace', traceId] as const] : []),
          ]}
        />
        {deadLetter && (
          <p className={classes.fault} role="alert">
            It was refused by {deadLetter.function ?? 'the bridge'}: {deadLetter.detail} ({deadLetter.reason}
            ). It is {deadLetter.state}; the pipeline lists it among the dead letters.
          </p>
        )}
      </div>
      {hops.length > 0 && <Waterfall hops={hops} />}
      {missing.length > 0 && (
        <ul className={classes.missing} aria-label="What was not found">
          {missing.map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ul>
      )}
      <div className={classes.part}>
        <Button
          size="compact-xs"
          variant="default"
          loading={busy}
          onClick={again}
          style={{ justifySelf: 'start' }}
        >
          Look again
        </Button>
        <Payload
          label="Message"
          value={tick ?? deadLetter?.valueText ?? deadLetter?.valueJson ?? deadLetter?.valueBase64 ?? null}
        />
      </div>
      {results.length > 0 && (
        <Table
          label="What was made of it"
          heads={['Result', 'Kind', 'Cause', { label: 'After', number: true }]}
        >
          {results.map((result, at) => (
            <tr key={keyOf(at)} data-selected={open === keyOf(at) || undefined}>
              <th scope="row">
                <button
                  type="button"
                  className={tableClasses.open}
                  aria-expanded={open === keyOf(at)}
                  onClick={() => setOpen(open === keyOf(at) ? null : keyOf(at))}
                >
                  {result.subject}
                </button>
              </th>
              <td>{result.kind}</td>
              <td className={tableClasses.dim}>
                {result.exact ? 'this message' : 'the next one of its subject'}
              </td>
              <td data-number>{formatMs(result.afterMs)}</td>
            </tr>
          ))}
        </Table>
      )}
      {results.map(
        (result, at) =>
          open === keyOf(at) && (
            <div className={classes.part} key={keyOf(at)}>
              <Facts
                facts={[
                  ['Sequence', String(result.sequence)],
                  ['Output', result.output ?? 'none: it is a view'],
                  ['Cause', result.cause],
                ]}
              />
              <Payload label={result.subject} value={result.data} />
            </div>
          ),
      )}
    </>
  )
}
