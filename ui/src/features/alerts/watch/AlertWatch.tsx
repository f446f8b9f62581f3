import { useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useRef } from 'react'
import { useSettings } from '@/shared/settings/settings'
import { useSubject } from '@/shared/stream'
import type { Alert } from '../data'
import { notify, ring } from './ring'

/** What the alerts are shown with comes after the first screen. */
const loadToasts = () => import('./Toasts')
const Toasts = lazy(() => loadToasts().then(({ Toasts }) => ({ default: Toasts })))

/** the system is told of so many at once: more would be a storm */
const most = 3

/**
 * Tells every alert as it is raised, on any screen. What was raised before the page
 * came is no news; so it listens from the first moment on, before anything can show it.
 */
export function AlertWatch() {
  const sound = useSettings((settings) => settings.sound)
  // The screen of the alerts shows them itself.
  const quiet = useLocation({ select: ({ pathname }) => pathname === '/alerts' })
  const told = useRef(new Set<string>())
  useSubject<Alert>('alerts.>', (messages) => {
    const news = messages
      .filter(({ snapshot, view }) => !snapshot && !view)
      .map(({ data }) => data)
      .filter(({ id }) => !told.current.has(id))
    if (news.length === 0) return
    if (told.current.size > 5000) told.current.clear()
    for (const { id } of news) told.current.add(id)
    for (const { id, text, symbol, name, rule } of news.slice(0, most)) {
      notify(`${symbol}: ${name || rule}`, text, id)
    }
    if (sound) ring(news.some(({ severity }) => severity === 'critical'))
    if (!quiet) void loadToasts().then(({ toast }) => toast(news))
  })
  return (
    <Suspense>
      <Toasts />
    </Suspense>
  )
}
