import { ActionIcon, Button, Switch } from '@mantine/core'
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { Outcome } from '@/shared/ops/Outcome'
import { Empty, Failed, Loading, Panel } from '@/shared/panel/Panel'
import { useShortcuts } from '@/shared/shortcuts/shortcuts'
import classes from '../alerts.module.css'
import { type Rule, useDeleteRule, useRules, useSaveRule } from '../data'
import { Severity } from '../Severity'
import { storable } from './draft'
import { RuleEditor } from './RuleEditor'

/** What came of the last act; a rule that was deleted can be put back. */
interface Done {
  tone: 'good' | 'bad'
  text: string
  deleted?: Rule
}

/** The rules, and the editor in their place. */
export function Rules({ symbol }: { symbol: string | undefined }) {
  const rules = useRules()
  const save = useSaveRule()
  const remove = useDeleteRule()
  const [editing, edit] = useState<Rule | 'new' | null>(null)
  const [done, setDone] = useState<Done | null>(null)
  const undo = useRef<HTMLButtonElement>(null)
  useShortcuts([{ keys: 'n', label: 'New rule', group: 'Alerts', run: () => edit('new') }])
  const bad = (error: Error) => setDone({ tone: 'bad', text: error.message })
  const nameOf = (rule: Rule) => rule.name || rule.id || rule.when
  const enable = (rule: Rule, on: boolean) =>
    save.mutate({ ...storable(rule), disabled: !on }, { onError: bad, onSuccess: () => setDone(null) })
  const drop = (rule: Rule) =>
    remove.mutate(rule.id ?? '', {
      onSuccess: () => {
        setDone({ tone: 'good', text: `${nameOf(rule)} is deleted.`, deleted: rule })
        // Its button is gone with it: the keyboard goes on at what may follow.
        requestAnimationFrame(() => undo.current?.focus())
      },
      onError: bad,
    })
  const putBack = (rule: Rule) => {
    const { revision: _, ...draft } = storable(rule)
    save.mutate(draft, {
      onSuccess: () => setDone({ tone: 'good', text: `${nameOf(rule)} is there again; it begins anew.` }),
      onError: bad,
    })
  }

  if (editing) {
    return (
      <RuleEditor
        rule={editing === 'new' ? null : editing}
        symbol={symbol}
        close={() => edit(null)}
        saved={(rule) => {
          edit(null)
          setDone({ tone: 'good', text: `${nameOf(rule)} is stored: workers take it up at once.` })
        }}
      />
    )
  }
  return (
    <Panel
      title="Rules"
      className={classes.side ?? ''}
      actions={
        <Button
          size="compact-xs"
          leftSection={<IconPlus size={13} aria-hidden />}
          onClick={() => edit('new')}
        >
          New rule
        </Button>
      }
    >
      <Outcome outcome={done} close={() => setDone(null)}>
        {done?.deleted && (
          <Button
            ref={undo}
            size="compact-xs"
            variant="default"
            onClick={() => done.deleted && putBack(done.deleted)}
          >
            Undo
          </Button>
        )}
      </Outcome>
      {rules.isPending && <Loading what="rules" />}
      {rules.error && !rules.data && (
        <Failed what="The rules" error={rules.error} retry={() => void rules.refetch()} />
      )}
      {rules.data?.length === 0 && (
        <Empty title="No rule yet">
          A rule is one line, such as <code>price crosses above 200</code>. Press n to make one, and see at
          once how often it would have fired.
        </Empty>
      )}
      {rules.data?.map((rule) => (
        <div key={rule.id} className={classes.rule} data-rule={rule.id} data-off={rule.disabled || undefined}>
          <div className={classes.ruleWords}>
            <div className={classes.ruleName}>
              {nameOf(rule)} <span>{rule.symbol === '*' ? 'each symbol' : rule.symbol}</span>
              <Severity level={rule.severity ?? 'info'} />
            </div>
            <div className={classes.when}>{rule.when}</div>
            <div className={classes.muted}>
              {rule.disabled ? 'Kept, and not judged' : `Judged ${rule.judged ?? ''}`}
              {rule.cooldown && `, silent for ${rule.cooldown} after it fired`}
            </div>
            {rule.fault && <p className={classes.fault}>Left out: {rule.fault}</p>}
          </div>
          <div className={classes.ruleTools}>
            <Switch
              size="xs"
              aria-label={`Judge ${nameOf(rule)}`}
              checked={!rule.disabled}
              onChange={(event) => enable(rule, event.currentTarget.checked)}
            />
            <ActionIcon
              size="sm"
              variant="subtle"
              color="gray"
              aria-label={`Edit ${nameOf(rule)}`}
              onClick={() => edit(rule)}
            >
              <IconPencil size={15} aria-hidden />
            </ActionIcon>
            <ActionIcon
              size="sm"
              variant="subtle"
              color="gray"
              aria-label={`Delete ${nameOf(rule)}`}
              onClick={() => drop(rule)}
            >
              <IconTrash size={15} aria-hidden />
            </ActionIcon>
          </div>
        </div>
      ))}
    </Panel>
  )
}
