import { ActionIcon, Tooltip } from '@mantine/core'
import { IconHelp, IconSearch } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { ConnectionState } from './ConnectionState'
import classes from './Header.module.css'
import { StreamFigures } from './StreamFigures'
import { ThemeToggle } from './ThemeToggle'

interface HeaderProps {
  openPalette: () => void
  openHelp: () => void
}

export function Header({ openPalette, openHelp }: HeaderProps) {
  return (
    <header className={classes.header}>
      <Link to="/" className={classes.name ?? ''}>
        StreamFlow
      </Link>
      <ConnectionState />
      <StreamFigures />
      <div className={classes.tools}>
        <button
          type="button"
          className={classes.search}
          onClick={openPalette}
          aria-label="Search"
          aria-keyshortcuts="Control+K"
        >
          <IconSearch size={14} aria-hidden />
          <span className={classes.searchText}>Search</span>
          <kbd>Ctrl K</kbd>
        </button>
        <a className={classes.docs} href="/docs">
          API docs
        </a>
        <Tooltip label="Shortcuts (?)">
          <ActionIcon variant="subtle" color="gray" size="md" aria-label="Shortcuts" onClick={openHelp}>
            <IconHelp size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <ThemeToggle />
      </div>
    </header>
  )
}
