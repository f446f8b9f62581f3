/** A rule that is one price: what stands before the number, and the number. */
export interface PriceRule {
  before: string
  price: number
}

const form =
  /^(\s*price\s*(?:crosses(?:\s+(?:above|over|below|under))?|above|over|below|under|>=|<=|>|<)\s*)(\d+(?:\.\d+)?)\s*$/i

/** Reads "price crosses above 200"; null if the condition is another one. */
export function readPriceRule(when: string): PriceRule | null {
  const [, before, price] = form.exec(when) ?? []
  return before === undefined ? null : { before, price: Number(price) }
}

/** The same condition at another price. */
export function atPrice({ before }: PriceRule, price: number): string {
  return before + String(price)
}
