import { useState } from 'react'
import { useAddress } from '@/shared/ops/address'
import { ConnectionNotice } from '@/shared/ops/ConnectionNotice'
import { ScreenTitle } from '@/shared/ops/pieces'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import classes from './inspector.module.css'
import { JourneyPanel } from './journey/JourneyPanel'
import { LogPanel } from './log/LogPanel'
import type { Entry } from './log/logStore'
import { MessageView } from './log/MessageView'

/** Every message as it comes, and the way of any of them. */
export function InspectorScreen() {
  const [{ journey }, change] = useAddress()
  const [selected, select] = useState<Entry | null>(null)
  const show = (position: string | undefined) => change({ journey: position })
  const showOwn = () => selected?.message.position && show(selected.message.position)
  useShortcuts([
    { keys: 'j', label: 'The journey of the chosen message', group: 'Inspector', run: showOwn },
    { keys: 'Escape', label: 'Close the message', group: 'Inspector', run: () => select(null) },
  ])
  return (
    <div className={classes.screen}>
      <ScreenTitle>Inspector</ScreenTitle>
      <ConnectionNotice what="messages" />
      <div className={classes.columns}>
        <LogPanel selected={selected} select={select} />
        <div className={classes.column}>
          {selected && (
            <MessageView
              entry={selected}
              close={() => select(null)}
              showJourney={(position) => show(position)}
            />
          )}
          <JourneyPanel asked={journey} show={show} />
        </div>
      </div>
    </div>
  )
}
