import { IconAlertOctagon, IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import classes from './alerts.module.css'
import type { Severity as Level } from './data'

const icons = { info: IconInfoCircle, warning: IconAlertTriangle, critical: IconAlertOctagon }

export function Severity({ level }: { level: Level }) {
  const Icon = icons[level]
  return (
    <span className={classes.severity} data-level={level}>
      <Icon size={14} aria-hidden />
      {level}
    </span>
  )
}
