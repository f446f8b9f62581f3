import { ActionIcon, Button } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { formatMoment } from '@/shared/lib/time'
import { formatMs } from '@/shared/ops/numbers'
import { Facts, Payload } from '@/shared/ops/pieces'
import { Table } from '@/shared/ops/Table'
import { Panel } from '@/shared/panel/Panel'
import classes from '../inspector.module.css'
import { decodeSubject, type Entry } from './logStore'

interface MessageViewProps {
  entry: Entry
  close: () => void
  showJourney: (position: string) => void
}

/** One message: what it holds, what it carries beside that, and when it passed each part. */
export function MessageView({ entry: { message, at }, close, showJourney }: MessageViewProps) {
  const { subject, stream, seq, position, view, data, hops } = message
  const passed = Object.entries(hops ?? {})
    .flatMap(([name, time]) => (time === undefined ? [] : [{ name, time }]))
    .sort((a, b) => a.time - b.time)
  const first = passed[0]?.time ?? 0
  return (
    <Panel
      title={decodeSubject(subject)}
      className={classes.side ?? ''}
      actions={
        <>
          {position && (
            <Button size="compact-xs" onClick={() => showJourney(position)}>
              Its journey
            </Button>
          )}
          <ActionIcon size="sm" variant="subtle" color="gray" aria-label="Close the message" onClick={close}>
            <IconX size={15} aria-hidden />
          </ActionIcon>
        </>
      }
    >
      <div className={classes.part}>
        <Facts
          facts={[
            ['Stream', stream ?? 'none'],
            ['Sequence', String(seq)],
            ['Position', position ?? 'none'],
            ['Kind', view ? 'view: it still grows, and may be lost' : 'fact'],
            ['Came here', formatMoment(at)],
          ]}
        />
        <Payload value={data} />
      </div>
      {passed.length > 0 && (
        <Table
          label="Hops"
          heads={['Passed', 'At', { label: 'After', number: true }, { label: 'Total', number: true }]}
        >
          {passed.map(({ name, time }, index) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatMoment(time)}</td>
              <td data-number>{formatMs(index === 0 ? null : time - (passed[index - 1]?.time ?? time))}</td>
              <td data-number>{formatMs(time - first)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  )
}
