import { ConnectionNotice } from '@/shared/ops/ConnectionNotice'
import { ScreenTitle } from '@/shared/ops/pieces'
import { Panel } from '@/shared/panel/Panel'
import { Buckets } from './Buckets'
import { useResults } from './data'
import { EventList } from './EventList'
import classes from './events.module.css'
import { LoginList, LoginWindows } from './Logins'

/** What the shop's events and the logins come to, live. */
export function EventsScreen() {
  const { buckets, windows, logins } = useResults()
  return (
    <div className={classes.screen}>
      <ScreenTitle>Events</ScreenTitle>
      <ConnectionNotice what="events" />
      <div className={classes.columns}>
        <Panel title="Buckets" className={classes.wide ?? ''}>
          <Buckets buckets={buckets} />
        </Panel>
        <EventList />
        <div className={classes.side}>
          <Panel title="Logins by window">
            <LoginWindows windows={windows} />
          </Panel>
          <Panel title="Logins" className={classes.list ?? ''}>
            <LoginList logins={logins} />
          </Panel>
        </div>
      </div>
    </div>
  )
}
