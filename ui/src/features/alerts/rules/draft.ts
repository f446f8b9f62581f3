import type { Rule, RuleDraft } from '../data'

/** The form's fields, as text where they are typed. */
export interface RuleForm {
  id?: string | undefined
  revision?: number | undefined
  name: string
  symbol: string
  when: string
  severity: NonNullable<Rule['severity']>
  cooldown: string
  hysteresis: string
  /** of a field datetime-local, in UTC; '' is never */
  expires: string
  disabled: boolean
}

export const emptyForm: RuleForm = {
  ...{ name: '', symbol: '', when: '', severity: 'info', cooldown: '', hysteresis: '', expires: '' },
  disabled: false,
}

export function formOf(rule: Rule): RuleForm {
  return {
    id: rule.id,
    revision: rule.revision,
    name: rule.name ?? '',
    symbol: rule.symbol,
    when: rule.when,
    severity: rule.severity ?? 'info',
    cooldown: rule.cooldown ?? '',
    hysteresis: rule.hysteresis ? String(rule.hysteresis) : '',
    expires: rule.expires ? rule.expires.slice(0, 16) : '',
    disabled: rule.disabled ?? false,
  }
}

/** The rule that the form says; null while it says none. */
export function draftOf(form: RuleForm): RuleDraft | null {
  const symbol = form.symbol.trim()
  const when = form.when.trim()
  if (!symbol || !when) return null
  const hysteresis = Number(form.hysteresis)
  return {
    symbol,
    when,
    severity: form.severity,
    ...(form.id && { id: form.id }),
    ...(form.revision && { revision: form.revision }),
    ...(form.name.trim() && { name: form.name.trim() }),
    ...(form.cooldown.trim() && { cooldown: form.cooldown.trim() }),
    ...(form.hysteresis.trim() && { hysteresis }),
    ...(form.expires && { expires: `${form.expires}:00Z` }),
    ...(form.disabled && { disabled: true }),
  }
}

/** What of a stored rule can be stored again: all but what the server says of it. */
export function storable(rule: Rule): RuleDraft {
  const { condition, judged, fault, created, updated, ...draft } = rule
  return draft
}

/** Conditions to begin with, by what they watch; docs/alerts.md has the grammar. */
export const examples: readonly { label: string; when: string }[] = [
  { label: 'Price crosses', when: 'price crosses above 200' },
  { label: 'Big move', when: 'change over 1% in 10m' },
  { label: 'Falls', when: 'change down over 0.5% in 5m' },
  { label: 'Heavy volume', when: 'volume over 3x average(20, 1m)' },
  { label: 'Overbought', when: 'rsi(14, 1m) > 70' },
  { label: 'Averages cross', when: 'sma(20, 1m) crosses above ema(50, 1m)' },
  { label: 'Below the band', when: 'close(1m) below bollinger(20, 2, 1m).lower' },
  { label: 'Silent', when: 'stale 30s' },
]
