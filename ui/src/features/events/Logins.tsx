import { formatCount } from '@/shared/lib/format'
import { formatTime } from '@/shared/lib/time'
import { JourneyLink } from '@/shared/ops/JourneyLink'
import { Empty } from '@/shared/panel/Panel'
import classes from './events.module.css'
import { type Login, type LoginWindow, windowsKept } from './results'

/** Logins by windows of event time, as function logins publishes them. */
export function LoginWindows({ windows }: { windows: readonly LoginWindow[] }) {
  const newest = windows.at(-1)
  if (!newest) {
    return (
      <Empty title="No window yet">
        A window is told once it is done. <code>streamflow simulate users</code> sends logins.
      </Empty>
    )
  }
  const most = Math.max(...windows.map(({ logins }) => logins), 1)
  const width = 1000 / windowsKept
  return (
    <div className={classes.windows}>
      <p>
        <b>{formatCount(newest.logins)}</b> from {formatTime(newest.start)} to {formatTime(newest.end)}
        {newest.amended ? `, ${newest.amended} of them late` : ''}
      </p>
      <svg
        viewBox="0 0 1000 70"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Logins by window since ${formatTime(windows[0]?.start)}, at most ${most}`}
      >
        {windows.map(({ start, logins }, at) => {
          const height = (logins / most) * 66
          const x = 1000 - (windows.length - at) * width
          return (
            <rect key={start} x={x} y={70 - height} width={width - 3} height={height}>
              <title>
                {formatTime(start)}: {logins}
              </title>
            </rect>
          )
        })}
      </svg>
      <p className={classes.muted}>Windows that were told since this page listens, at most {windowsKept}</p>
    </div>
  )
}

/** Each login, as function logins tells of it at once. */
export function LoginList({ logins }: { logins: readonly Login[] }) {
  if (logins.length === 0)
    return (
      <Empty title="Nobody logged in yet">
        The next login stands here at once; <code>streamflow simulate users</code> sends some.
      </Empty>
    )
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <ol className={classes.logins} aria-label="Logins, the newest first" tabIndex={0}>
      {logins.map(({ position, text, user_email }) => (
        <li key={position}>
          <span>{text}</span>
          <code title="The address, masked by the bridge">{user_email.slice(0, 10)}…</code>
          <JourneyLink position={position}>journey</JourneyLink>
        </li>
      ))}
    </ol>
  )
}
