import '@mantine/notifications/styles.css'
import { Notifications, notifications } from '@mantine/notifications'
import { Link, useLocation } from '@tanstack/react-router'
import { useRef } from 'react'
import { useNarrow } from '@/shared/lib/narrow'
import { useSettings } from '@/shared/settings/settings'
import { useSubject } from '@/shared/stream'
import classes from '../alerts.module.css'
import type { Alert } from '../data'
import { Severity } from '../Severity'
import { notify, ring } from './ring'

/** More than so many at once are told as one: a storm must not bury the page. */
const most = 3

/** Tells every alert as it is raised, on any screen. What was raised before the page came is no news. */
export function AlertWatch() {
  const sound = useSettings((settings) => settings.sound)
  // The screen of the alerts shows them itself.
  const quiet = useLocation({ select: ({ pathname }) => pathname === '/alerts' })
  // On a phone the navigation is at the bottom.
  const narrow = useNarrow()
  const told = useRef(new Set<string>())
  useSubject<Alert>('alerts.>', (messages) => {
    const news = messages
      .filter(({ snapshot, view }) => !snapshot && !view)
      .map(({ data }) => data)
      .filter(({ id }) => !told.current.has(id))
    if (news.length === 0) return
    if (told.current.size > 5000) told.current.clear()
    for (const { id } of news) told.current.add(id)
    tell(news, quiet)
    if (sound) ring(news.some(({ severity }) => severity === 'critical'))
  })
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

function tell(news: readonly Alert[], quiet: boolean): void {
  for (const { id, severity, symbol, text, name, rule } of news.slice(0, most)) {
    notify(`${symbol}: ${name || rule}`, text, id)
    if (quiet) continue
    notifications.show({
      id,
      message: (
        <>
          <Severity level={severity} /> {text}
        </>
      ),
      closeButtonProps: { 'aria-label': 'Put away' },
      pl: 22,
      pr: 8,
      py: 6,
      color: severity === 'critical' ? 'red' : severity === 'warning' ? 'yellow' : 'blue',
      autoClose: severity === 'critical' ? 15_000 : 6000,
      withBorder: true,
    })
  }
  if (quiet || news.length <= most) return
  notifications.show({
    id: 'more alerts',
    closeButtonProps: { 'aria-label': 'Put away' },
    title: `${news.length - most} more alerts`,
    message: <Link to="/alerts">See all of them</Link>,
    withBorder: true,
  })
}
