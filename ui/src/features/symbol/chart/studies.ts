import type { AutoscaleInfo } from 'lightweight-charts'
import { type Formula, isOverlay, readSpec, valueName } from '../data/specs'

/** One line of an indicator, as it is drawn. */
export interface Line {
  /** name of the value: "macd_12_26_9.signal" */
  name: string
  kind: 'line' | 'histogram'
  /** which of the theme's series colours */
  color: number
  dashed: boolean
  /** where what it shows is called high or low, by custom */
  levels: readonly number[]
}

/** An indicator as it is drawn: over the prices, or in a pane of its own. */
export interface Study {
  spec: string
  title: string
  pane: number
  lines: Line[]
}

const customary: Record<string, readonly number[]> = { rsi: [30, 70], stochastic: [20, 80] }

/** Where the specs are drawn: what is no overlay gets the next pane, in the order of the specs. */
export function planStudies(specs: readonly string[], formulas: readonly Formula[]): Study[] {
  let pane = 0
  let color = 0
  return specs.flatMap((spec) => {
    const formula = formulas.find(({ name }) => name === readSpec(spec).name)
    if (!formula) return []
    const main = valueName(spec, formulas)
    const usual = formula.names?.[0] ?? formula.name
    const overlay = isOverlay(formula)
    const first = color
    const lines = (formula.names ?? []).map((name): Line => {
      const part = name.slice(usual.length)
      const band = part === '.upper' || part === '.lower'
      const kind = part === '.histogram' ? 'histogram' : 'line'
      if (part !== '' && !band && kind === 'line') color++
      const levels = part === '' ? (customary[formula.name] ?? []) : []
      return { name: main + part, kind, color: band ? first : color, dashed: band, levels }
    })
    color++
    return [{ spec, title: spec, pane: overlay ? 0 : ++pane, lines }]
  })
}

/** A scale on which the levels are to be seen, however near to one of them the line stays. */
export function withLevels(levels: readonly number[]) {
  return (usual: () => AutoscaleInfo | null): AutoscaleInfo | null => {
    const info = usual()
    if (!info?.priceRange) return info
    const { minValue, maxValue } = info.priceRange
    return {
      ...info,
      priceRange: { minValue: Math.min(minValue, ...levels), maxValue: Math.max(maxValue, ...levels) },
    }
  }
}
