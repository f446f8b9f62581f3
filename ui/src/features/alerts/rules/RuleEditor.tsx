import { Autocomplete, Button, Group, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react'
import { read, useApi } from '@/shared/api/client'
import { Panel } from '@/shared/panel/Panel'
import classes from '../alerts.module.css'
import { type Rule, useSaveRule } from '../data'
import { ConditionField } from './ConditionField'
import { draftOf, emptyForm, formOf, type RuleForm } from './draft'
import { Preview, usePreview } from './Preview'
import { conditionProblem, fieldProblem } from './problem'

interface RuleEditorProps {
  /** the rule to change; null makes a new one */
  rule: Rule | null
  /** the symbol that a new one begins with */
  symbol: string | undefined
  close: () => void
  saved: (rule: Rule) => void
}

/** A form over the one line of a rule, which is tried on what has been while it is written. */
export function RuleEditor({ rule, symbol, close, saved }: RuleEditorProps) {
  const [form, setForm] = useState<RuleForm>(() =>
    rule ? formOf(rule) : { ...emptyForm, symbol: symbol ?? '' },
  )
  const save = useSaveRule()
  const element = useRef<HTMLFormElement>(null)
  // On a phone it stands below the alerts: whoever asks for it wants to see it, and else to write at once.
  useEffect(() => {
    element.current?.scrollIntoView({ block: 'nearest' }) // its promise is nothing to clean up by
    if (matchMedia('(pointer: coarse)').matches) return
    const fields = [...(element.current?.querySelectorAll<HTMLInputElement>('input, textarea') ?? [])]
    const first = fields.find(({ required, value }) => required && value === '') ?? fields[0]
    first?.focus({ preventScroll: true })
  }, [])
  const draft = draftOf(form)
  // The preview asks when the typing rests. What does not change what fires is not asked for.
  const tried = JSON.stringify(
    draft && {
      symbol: draft.symbol,
      when: draft.when,
      cooldown: draft.cooldown,
      hysteresis: draft.hysteresis,
    },
  )
  const [rested] = useDebouncedValue(tried, 400)
  const preview = usePreview(useMemo(() => JSON.parse(rested), [rested]))
  const set = (news: Partial<RuleForm>) => {
    setForm((before) => ({ ...before, ...news }))
    save.reset()
  }
  const error = save.error ?? (rested === tried ? preview.test.error : null)
  const problem = conditionProblem(error)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (draft) save.mutate(draft, { onSuccess: saved })
  }
  return (
    <Panel
      title={rule ? `Rule ${rule.name || rule.id}` : 'New rule'}
      className={classes.side ?? ''}
      actions={
        <Button size="compact-xs" variant="default" onClick={close}>
          Back to the rules
        </Button>
      }
    >
      <form ref={element} className={classes.form} onSubmit={submit}>
        <div className={classes.pair}>
          <SymbolField
            value={form.symbol}
            change={(value) => set({ symbol: value })}
            error={fieldProblem(error, 'symbol')}
          />
          <TextInput
            size="xs"
            label="Name"
            placeholder="For people"
            maxLength={200}
            value={form.name}
            error={fieldProblem(error, 'name')}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
        </div>
        <ConditionField value={form.when} change={(when) => set({ when })} problem={problem} />
        <SegmentedControl
          size="xs"
          aria-label="Severity"
          data={['info', 'warning', 'critical']}
          value={form.severity}
          onChange={(severity) => set({ severity: severity as RuleForm['severity'] })}
        />
        <div className={classes.pair}>
          <TextInput
            size="xs"
            label="Cooldown"
            placeholder="5m"
            description="Silent for so long after it fired"
            value={form.cooldown}
            error={fieldProblem(error, 'cooldown')}
            onChange={(event) => set({ cooldown: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            label="Hysteresis"
            placeholder="0"
            inputMode="decimal"
            description="How far back before it may fire again"
            value={form.hysteresis}
            error={
              fieldProblem(error, 'hysteresis') ?? (badNumber(form.hysteresis) && 'Want a number from 0 on')
            }
            onChange={(event) => set({ hysteresis: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            type="datetime-local"
            label="Expires (UTC)"
            description="Empty is never"
            value={form.expires}
            error={fieldProblem(error, 'expires')}
            onChange={(event) => set({ expires: event.currentTarget.value })}
          />
        </div>
        <Switch
          size="xs"
          label="Enabled"
          checked={!form.disabled}
          onChange={(event) => set({ disabled: !event.currentTarget.checked })}
        />
        {save.error && (
          <p className={classes.fault} role="alert">
            {save.error.message}
          </p>
        )}
        <Group gap={8}>
          <Button
            size="xs"
            type="submit"
            disabled={!draft || badNumber(form.hysteresis)}
            loading={save.isPending}
          >
            {rule ? 'Save' : 'Create'}
          </Button>
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
        </Group>
      </form>
      <Preview {...preview} ready={draft !== null} />
    </Panel>
  )
}

function badNumber(text: string): boolean {
  return text.trim() !== '' && !(Number(text) >= 0)
}

interface SymbolFieldProps {
  value: string
  change: (value: string) => void
  error: string | undefined
}

function SymbolField({ value, change, error }: SymbolFieldProps) {
  const api = useApi()
  const stocks = useQuery({
    queryKey: ['stocks', 'names'],
    queryFn: ({ signal }) => read('GET /api/stocks', api.GET('/api/stocks', { signal })),
    staleTime: 60_000,
    select: ({ stocks }) => (stocks ?? []).map(({ symbol }) => symbol),
  })
  return (
    <Autocomplete
      size="xs"
      label="Symbol"
      required
      placeholder="AAPL, or * for each"
      data={['*', ...(stocks.data ?? []).toSorted()]}
      limit={20}
      value={value}
      error={error}
      onChange={change}
    />
  )
}
