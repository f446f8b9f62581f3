import { ActionIcon, Button, NumberInput, Select } from '@mantine/core'
import { IconBellPlus, IconTrash } from '@tabler/icons-react'
import { type FormEvent, useState } from 'react'
import type { RuleLevel, usePriceRules } from '../rules/usePriceRules'
import { MenuPopover } from './MenuPopover'
import classes from './menus.module.css'

interface AlertMenuProps {
  rules: ReturnType<typeof usePriceRules>
  /** where a new one begins */
  price: () => number | null
}

const relations = ['crosses above', 'crosses below', 'crosses', 'above', 'below']

/** The price alerts of a symbol by keyboard: what can be dragged in the chart can be typed here. */
export function AlertMenu({ rules, price }: AlertMenuProps) {
  const [opened, setOpened] = useState(false)
  return (
    <MenuPopover
      name="Price alerts"
      label={`Alerts${rules.levels.length > 0 ? ` (${rules.levels.length})` : ''}`}
      icon={<IconBellPlus size={15} aria-hidden />}
      width={340}
      opened={opened}
      toggle={setOpened}
    >
      {opened && <Levels rules={rules} price={price()} />}
    </MenuPopover>
  )
}

function Levels({ rules, price }: { rules: AlertMenuProps['rules']; price: number | null }) {
  const [relation, setRelation] = useState(relations[0] ?? '')
  const [wanted, setWanted] = useState<number | string>(price ?? '')
  const problem = rules.error ?? rules.add.error ?? rules.move.error ?? rules.remove.error
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // Not disabled meanwhile: the keyboard's focus would be lost, and Escape with it.
    if (!rules.add.isPending) rules.add.mutate(`price ${relation} ${wanted}`)
  }
  return (
    <>
      <h3 className={classes.title}>Price alerts</h3>
      {rules.levels.length === 0 && (
        <p className={classes.none}>None yet. Lines in the chart can be dragged.</p>
      )}
      {rules.levels.map((level) => (
        <LevelRow key={`${level.rule.id} ${level.price}`} level={level} rules={rules} />
      ))}
      <form className={classes.row} onSubmit={submit}>
        <Select
          size="xs"
          aria-label="Condition"
          data={relations}
          value={relation}
          allowDeselect={false}
          onChange={(value) => setRelation(value ?? '')}
          comboboxProps={{ withinPortal: false }}
        />
        <NumberInput
          size="xs"
          aria-label="Price of the new alert"
          min={0}
          decimalScale={4}
          required
          value={wanted}
          onChange={setWanted}
          data-autofocus
        />
        <Button size="xs" type="submit" aria-busy={rules.add.isPending}>
          Add
        </Button>
      </form>
      {problem && (
        <p role="alert" className={classes.problem}>
          {problem.message}
        </p>
      )}
    </>
  )
}

function LevelRow({
  level: { rule, price, parsed },
  rules,
}: {
  level: RuleLevel
  rules: AlertMenuProps['rules']
}) {
  const [value, setValue] = useState<number | string>(price)
  const id = rule.id ?? ''
  const commit = () => {
    const to = Number(value)
    if (to > 0 && to !== price) rules.move.mutate({ id, price: to })
  }
  return (
    <div className={classes.row}>
      <span className={classes.rule} title={rule.name ?? rule.id}>
        {parsed.before.trim()}
      </span>
      <NumberInput
        size="xs"
        aria-label={`Price of ${rule.name ?? rule.id}`}
        min={0}
        decimalScale={4}
        value={value}
        onChange={setValue}
        onBlur={commit}
        onKeyDown={(event) => event.key === 'Enter' && commit()}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Remove ${rule.name ?? rule.id}`}
        onClick={() => rules.remove.mutate(id)}
      >
        <IconTrash size={15} aria-hidden />
      </ActionIcon>
    </div>
  )
}
