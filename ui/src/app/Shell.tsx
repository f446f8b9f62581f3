import { useDisclosure } from '@mantine/hooks'
import { Link, Outlet } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { AlertWatch } from '@/features/alerts/watch/AlertWatch'
import { useSettings } from '@/shared/settings/settings'
import { useStream } from '@/shared/stream'
import { Header } from './Header'
import classes from './Shell.module.css'
import { screens } from './screens'
import { useShellShortcuts } from './useShellShortcuts'

const Palette = lazy(() => import('./Palette').then(({ Palette }) => ({ default: Palette })))
const Help = lazy(() => import('./Help').then(({ Help }) => ({ default: Help })))

/** What stands around every screen. The palette and the help come when they are first asked for. */
export function Shell() {
  const hub = useStream()
  const [palette, setPalette] = useState({ open: false, asked: false })
  const [helpOpen, help] = useDisclosure()
  const openPalette = () => setPalette({ open: true, asked: true })
  // What is formatted is written anew when the settings say so.
  const formats = useSettings(({ numbers, timeZone }) => `${numbers} ${timeZone}`)
  useShellShortcuts({ hub, openPalette, openHelp: help.open })
  return (
    <div className={classes.app}>
      <a href="#main" className={classes.skip}>
        Skip to the screen
      </a>
      <Header openPalette={openPalette} openHelp={help.open} />
      <Navigation />
      <main id="main" tabIndex={-1} className={classes.main}>
        <Suspense key={formats}>
          <Outlet />
        </Suspense>
      </main>
      <Suspense>
        {palette.asked && (
          <Palette
            opened={palette.open}
            close={() => setPalette({ open: false, asked: true })}
            openHelp={help.open}
          />
        )}
        {helpOpen && <Help close={help.close} />}
      </Suspense>
      <AlertWatch />
    </div>
  )
}

/** A rail at the left; at the bottom on a phone. */
function Navigation() {
  return (
    <nav className={classes.nav} aria-label="Screens">
      {screens.map(({ path, label, keys, Icon }) => (
        <Link
          key={path}
          to={path}
          className={classes.link ?? ''}
          activeProps={{ className: classes.active ?? '' }}
          activeOptions={{ exact: path === '/' }}
          title={`${label} (${keys})`}
        >
          <Icon size={20} stroke={1.6} aria-hidden />
          <span>{label}</span>
        </Link>
      ))}
    </nav>
  )
}
