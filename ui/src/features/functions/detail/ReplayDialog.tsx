import { Button, Checkbox, Group, Modal, SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'
import { formatDateTime } from '@/shared/lib/time'
import { type FunctionView, useReplayFunction } from '../data'
import classes from '../FunctionsScreen.module.css'

interface ReplayDialogProps {
  view: FunctionView
  close: () => void
  done: (text: string) => void
}

/** Asks from when on, and says what a replay does before it is begun: it cannot be taken back. */
export function ReplayDialog({ view, close, done }: ReplayDialogProps) {
  const replay = useReplayFunction()
  const [from, setFrom] = useState('1h')
  const [sure, setSure] = useState(false)
  const start = () =>
    replay.mutate(
      { name: view.name, from: from.trim() },
      {
        onSuccess: (answer) => {
          done(`${view.name} is computed anew; from ${formatDateTime(answer.from)} on it publishes again.`)
          close()
        },
      },
    )
  return (
    <Modal opened onClose={close} title={`Replay ${view.name}`} size="lg">
      <div className={classes.section} style={{ borderTop: 0, padding: 0, gap: 12 }}>
        <SegmentedControl
          size="xs"
          aria-label="How far back"
          data={['15m', '1h', '6h', '1d', '7d']}
          value={['15m', '1h', '6h', '1d', '7d'].includes(from) ? from : ''}
          onChange={setFrom}
        />
        <TextInput
          size="xs"
          label="From"
          description="An age such as 2h or 3d, or a time such as 2026-03-02T14:00:00Z"
          value={from}
          error={replay.error?.message}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <ul style={{ margin: 0, paddingLeft: 18, fontSize: 13 }}>
          <li>
            Its state is thrown away and computed anew from the start of {view.reads}, as far back as that
            goes.
          </li>
          <li>
            It publishes nothing of what is older than <b>{from || '…'}</b>; what is newer it publishes again,
            to {view.writes}, marked as a replay.
          </li>
          <li>
            Until it has caught up its live results come late. Whoever reads its results sees some twice.
          </li>
        </ul>
        <Checkbox
          size="xs"
          label="I know what this does to those who read its results"
          checked={sure}
          onChange={(event) => setSure(event.currentTarget.checked)}
        />
        <Group justify="flex-end" gap={8}>
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            size="xs"
            color="red"
            disabled={!sure || !from.trim()}
            loading={replay.isPending}
            onClick={start}
          >
            Replay from {from.trim() || '…'}
          </Button>
        </Group>
      </div>
    </Modal>
  )
}
