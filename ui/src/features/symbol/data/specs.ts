import type { Schemas } from '@/shared/api/client'

export type Formula = Schemas['Formula']

/** The specs of an address: "sma(20);rsi(14)". */
export function parseSpecs(text: string | undefined): string[] {
  return [...new Set((text ?? '').split(';').map((spec) => spec.trim()))].filter(Boolean).slice(0, 16)
}

export function joinSpecs(specs: readonly string[]): string | undefined {
  return specs.length > 0 ? specs.join(';') : undefined
}

/** What a spec is made of: "macd(12,26,9)" is macd and three numbers. */
export function readSpec(spec: string): { name: string; numbers: number[] } {
  const [, name = spec, inside = ''] = /^([a-z_]+)(?:\((.*)\))?$/.exec(spec) ?? []
  const numbers = inside
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  return { name, numbers }
}

export function writeSpec(name: string, numbers: readonly number[]): string {
  return numbers.length > 0 ? `${name}(${numbers.join(',')})` : name
}

/** The name of a spec's main value: all numbers, joined by "_". Parameters that are left out have their usual ones. */
export function valueName(spec: string, formulas: readonly Formula[]): string {
  const { name, numbers } = readSpec(spec)
  const params = formulas.find((formula) => formula.name === name)?.params ?? []
  const all = params.length > 0 ? params.map((param, at) => numbers[at] ?? param.default) : numbers
  return [name, ...all].join('_')
}

/** Whether it is drawn on the prices: what is measured as they are, and lies near them. */
export function isOverlay({ name, unit }: Formula): boolean {
  return unit === 'price' && name !== 'macd' && name !== 'atr'
}
