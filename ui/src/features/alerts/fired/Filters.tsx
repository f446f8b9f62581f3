import { SegmentedControl, Select, TextInput } from '@mantine/core'
import classes from '../alerts.module.css'
import { type AlertFilter, type Severity, useRules } from '../data'
import { Ringing } from '../watch/Ringing'

type Search = Record<string, string | undefined>

const severities: readonly Severity[] = ['info', 'warning', 'critical']

/** The filter as the address has it: a list can be linked to. */
export function readFilter({ symbol, rule, severity, seen }: Search): AlertFilter {
  return {
    symbol: symbol || undefined,
    rule: rule || undefined,
    severity: severities.find((one) => one === severity),
    acknowledged: seen === 'no' ? 'false' : seen === 'yes' ? 'true' : undefined,
  }
}

interface FiltersProps {
  filter: AlertFilter
  change: (news: Search) => void
}

export function Filters({ filter, change }: FiltersProps) {
  const rules = useRules()
  const names = (rules.data ?? []).map(({ id = '', name }) => ({ value: id, label: name || id }))
  return (
    <div className={classes.bar}>
      <SegmentedControl
        size="xs"
        aria-label="Seen"
        data={[
          { value: '', label: 'All' },
          { value: 'no', label: 'New' },
          { value: 'yes', label: 'Seen' },
        ]}
        value={filter.acknowledged === undefined ? '' : filter.acknowledged === 'true' ? 'yes' : 'no'}
        onChange={(value) => change({ seen: value || undefined })}
      />
      <TextInput
        size="xs"
        w={100}
        aria-label="Filter by symbol"
        placeholder="Symbol"
        value={filter.symbol ?? ''}
        onChange={(event) => change({ symbol: event.currentTarget.value.toUpperCase() || undefined })}
      />
      <Select
        size="xs"
        w={120}
        aria-label="Filter by severity"
        placeholder="Any severity"
        clearable
        data={[...severities]}
        value={filter.severity ?? null}
        onChange={(value) => change({ severity: value ?? undefined })}
      />
      <Select
        size="xs"
        w={150}
        aria-label="Filter by rule"
        placeholder="Any rule"
        clearable
        searchable
        data={names}
        value={filter.rule ?? null}
        onChange={(value) => change({ rule: value ?? undefined })}
      />
      <Ringing />
    </div>
  )
}
