import { Link } from '@tanstack/react-router'
import classes from './table.module.css'

/** A place in Kafka, that leads to the way of what stands there. */
export function JourneyLink({ position, children }: { position: string; children?: string }) {
  return (
    <Link
      className={classes.link ?? ''}
      to="/inspector"
      search={{ journey: position } as never}
      title={`The way of ${position}`}
    >
      {children ?? position}
    </Link>
  )
}
