import { Button, Group, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import classes from './letters.module.css'

interface DiscardDialogProps {
  count: number
  busy: boolean
  close: () => void
  discard: (reason: string) => void
}

/** Asks why: whoever looks at it later wants to know. */
export function DiscardDialog({ count, busy, close, discard }: DiscardDialogProps) {
  const [reason, setReason] = useState('')
  return (
    <Modal
      opened
      onClose={close}
      title={count === 1 ? 'Discard this dead letter' : `Discard ${count} dead letters`}
    >
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault()
          if (reason.trim()) discard(reason.trim())
        }}
      >
        <TextInput
          size="xs"
          label="Why"
          description="It stays in the stream with this reason; nothing is sent anywhere."
          placeholder="A test of the producer"
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap={8}>
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button size="xs" color="red" type="submit" disabled={!reason.trim()} loading={busy}>
            Discard
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
