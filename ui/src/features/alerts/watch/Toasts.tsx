import '@mantine/notifications/styles.css'
import { Notifications, notifications, notificationsStore } from '@mantine/notifications'
import { Link } from '@tanstack/react-router'
import { useNarrow } from '@/shared/lib/narrow'
import classes from '../alerts.module.css'
import type { Alert } from '../data'
import { Severity } from '../Severity'

const colors = { info: 'blue', warning: 'yellow', critical: 'red' }
const closeButtonProps = { 'aria-label': 'Put away' }

/** Where alerts are shown for some seconds, in a corner of any screen. */
export function Toasts() {
  // On a phone the navigation is at the bottom.
  const narrow = useNarrow()
  return (
    <Notifications
      position={narrow ? 'bottom-center' : 'bottom-right'}
      limit={narrow ? 1 : 3}
      containerWidth={330}
      zIndex={250}
      classNames={{ root: classes.toasts ?? '' }}
    />
  )
}

/** Shows alerts, or some of them and how many more there are: a storm must not bury the page. */
export function toast(alerts: readonly Alert[]): void {
  const { limit } = notificationsStore.getState()
  const first = alerts.length <= limit ? alerts : alerts.slice(0, limit - 1)
  for (const { id, severity, text } of first) {
    notifications.show({
      id,
      message: (
        <>
          <Severity level={severity} /> {text}
        </>
      ),
      closeButtonProps,
      pl: 22,
      pr: 8,
      py: 6,
      color: colors[severity],
      autoClose: severity === 'critical' ? 15_000 : 6000,
      withBorder: true,
    })
  }
  if (first.length < alerts.length) {
    notifications.show({
      closeButtonProps,
      title: `${alerts.length - first.length} more alerts`,
      message: <Link to="/alerts">See all of them</Link>,
      withBorder: true,
    })
  }
  giveWay()
}

/** What is newer takes the place of the oldest, critical ones last: in a queue it would be told when it is long past. */
function giveWay(): void {
  const { notifications: shown, queue } = notificationsStore.getState()
  const critical = ({ color }: { color?: unknown }) => Number(color === colors.critical)
  const oldest = shown.toSorted((a, b) => critical(a) - critical(b)).slice(0, queue.length)
  for (const { id } of oldest) if (id) notifications.hide(id)
}
