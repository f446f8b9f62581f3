import { Checkbox } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { formatFull, unknown } from '@/shared/lib/format'
import { formatDateTime, formatTime } from '@/shared/lib/time'
import { JourneyLink } from '@/shared/ops/JourneyLink'
import { Facts } from '@/shared/ops/pieces'
import { tableClasses } from '@/shared/ops/Table'
import classes from '../alerts.module.css'
import type { Alert } from '../data'
import { Severity } from '../Severity'

interface AlertRowProps {
  alert: Alert
  picked: boolean
  pick: (id: string, on: boolean) => void
  open: boolean
  toggle: () => void
}

export function AlertRow({ alert, picked, pick, open, toggle }: AlertRowProps) {
  return (
    <>
      <tr data-alert={alert.id} data-selected={open || undefined}>
        <td>
          <Checkbox
            size="xs"
            aria-label={`Pick ${alert.symbol} at ${formatTime(alert.time)}`}
            checked={picked && alert.acknowledgedAt === null}
            disabled={alert.acknowledgedAt !== null}
            onChange={(event) => pick(alert.id, event.currentTarget.checked)}
          />
        </td>
        <td title={formatDateTime(alert.time)}>{whenText(alert.time)}</td>
        <td>
          <Severity level={alert.severity} />
        </td>
        <th scope="row">{alert.symbol}</th>
        <td className={classes.text}>
          <button type="button" className={tableClasses.open} data-open aria-expanded={open} onClick={toggle}>
            {shortText(alert)}
          </button>
        </td>
        <td className={tableClasses.dim}>{alert.name || alert.rule}</td>
        <td className={tableClasses.dim} title={formatDateTime(alert.acknowledgedAt)}>
          {alert.acknowledgedAt === null ? unknown : (alert.acknowledgedBy ?? 'somebody')}
        </td>
      </tr>
      {open && (
        <tr>
          <td />
          <td colSpan={6} style={{ whiteSpace: 'normal', paddingBottom: 8 }}>
            <Facts
              facts={[
                ['Text', alert.text],
                ['Condition', <code key="when">{alert.when}</code>],
                [
                  'Compared',
                  Object.entries(alert.values)
                    .map(([name, value]) => `${name} = ${formatFull(value)}`)
                    .join(', '),
                ],
                ['Event time', formatDateTime(alert.time)],
                [
                  'Chart',
                  <Link key="chart" to="/s/$symbol" params={{ symbol: alert.symbol }}>
                    {alert.symbol}
                  </Link>,
                ],
                ...(alert.position
                  ? [['Journey', <JourneyLink key="journey" position={alert.position} />] as const]
                  : []),
                ...(alert.acknowledgedAt
                  ? [
                      [
                        'Acknowledged',
                        `${formatDateTime(alert.acknowledgedAt)} by ${alert.acknowledgedBy}`,
                      ] as const,
                    ]
                  : []),
              ]}
            />
          </td>
        </tr>
      )}
    </>
  )
}

/** The symbol stands in a column of its own. */
function shortText({ symbol, text }: Alert): string {
  return text.startsWith(`${symbol}: `) ? text.slice(symbol.length + 2) : text
}

const day = 86_400_000

/** Of today the time is enough. */
function whenText(time: string): string {
  return Date.now() - Date.parse(time) < day ? formatTime(time) : formatDateTime(time)
}
