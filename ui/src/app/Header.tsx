import { Anchor } from '@mantine/core'
import { ConnectionState, FeedStats } from '@/features/market'
import classes from './App.module.css'
import { ThemeToggle } from './ThemeToggle'

export function Header() {
  return (
    <header className={classes.header}>
      <h1 className={classes.name}>StreamFlow</h1>
      <div className={classes.state}>
        <ConnectionState />
      </div>
      <div className={classes.stats}>
        <FeedStats />
      </div>
      <nav className={classes.links} aria-label="Elsewhere">
        <Anchor href="/docs" inherit>
          API docs
        </Anchor>
        <Anchor href="/metrics" inherit>
          Metrics
        </Anchor>
      </nav>
      <div className={classes.toggle}>
        <ThemeToggle />
      </div>
    </header>
  )
}
