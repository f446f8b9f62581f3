import { Button, NumberInput, TextInput, UnstyledButton } from '@mantine/core'
import { IconMathFunction } from '@tabler/icons-react'
import { type FormEvent, useState } from 'react'
import { Failed, Loading } from '@/shared/panel/Panel'
import { type Formula, writeSpec } from '../data/specs'
import { useFormulas } from '../data/useIndicators'
import { MenuPopover } from './MenuPopover'
import classes from './menus.module.css'

interface IndicatorMenuProps {
  specs: readonly string[]
  add: (spec: string) => void
}

const most = 16

/** Every indicator that the server computes, with its numbers. */
export function IndicatorMenu({ specs, add }: IndicatorMenuProps) {
  const formulas = useFormulas()
  const [opened, setOpened] = useState(false)
  const [filter, setFilter] = useState('')
  const [chosen, setChosen] = useState<Formula | null>(null)
  const wanted = filter.trim().toLowerCase()
  const shown = (formulas.data ?? []).filter(({ name, title }) =>
    `${name} ${title}`.toLowerCase().includes(wanted),
  )
  const toggle = (open: boolean) => {
    setOpened(open)
    setChosen(null)
    setFilter('')
  }
  return (
    <MenuPopover
      name="Indicators"
      label="Indicators"
      icon={<IconMathFunction size={15} aria-hidden />}
      width={320}
      opened={opened}
      toggle={toggle}
    >
      {chosen ? (
        <Parameters
          formula={chosen}
          full={specs.length >= most}
          back={() => setChosen(null)}
          add={(spec) => {
            add(spec)
            toggle(false)
          }}
        />
      ) : (
        <>
          <TextInput
            size="xs"
            data-autofocus
            aria-label="Find an indicator"
            placeholder="Find an indicator"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <div className={classes.list}>
            {formulas.isPending && <Loading what="indicators" />}
            {formulas.isError && (
              <Failed what="The indicators" error={formulas.error} retry={() => void formulas.refetch()} />
            )}
            {formulas.isSuccess && shown.length === 0 && <p className={classes.none}>None of that name.</p>}
            {shown.map((formula) => (
              <UnstyledButton
                key={formula.name}
                className={classes.item ?? ''}
                onClick={() => setChosen(formula)}
              >
                <b>{formula.name}</b> <span>{formula.title}</span>
              </UnstyledButton>
            ))}
          </div>
        </>
      )}
    </MenuPopover>
  )
}

interface ParametersProps {
  formula: Formula
  full: boolean
  back: () => void
  add: (spec: string) => void
}

function Parameters({ formula, full, back, add }: ParametersProps) {
  const params = formula.params ?? []
  const [numbers, setNumbers] = useState(() => params.map((param) => param.default))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add(writeSpec(formula.name, numbers))
  }
  return (
    <form onSubmit={submit} className={classes.form}>
      <h3 className={classes.title}>{formula.title}</h3>
      <p className={classes.text}>{formula.text}</p>
      <div className={classes.numbers}>
        {params.map((param, at) => (
          <NumberInput
            key={param.name}
            size="xs"
            label={param.name}
            data-autofocus={at === 0 || undefined}
            min={param.min}
            max={param.max}
            clampBehavior="strict"
            allowDecimal={!param.whole}
            step={param.whole ? 1 : 0.1}
            required
            value={numbers[at] ?? param.default}
            onChange={(value) =>
              setNumbers(
                numbers.map((number, place) => (place === at ? Number(value) || param.default : number)),
              )
            }
          />
        ))}
      </div>
      <p className={classes.text}>
        Unit: {formula.unit}. It needs {formula.warmUp} candles to warm up.
      </p>
      <div className={classes.buttons}>
        <Button size="xs" variant="default" onClick={back}>
          Back
        </Button>
        <Button size="xs" type="submit" disabled={full}>
          {full ? `At most ${most}` : 'Add to the chart'}
        </Button>
      </div>
    </form>
  )
}
