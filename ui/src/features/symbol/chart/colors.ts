/** The theme's colours, for a canvas that cannot read CSS. */
export interface ChartColors {
  surface: string
  text: string
  line: string
  up: string
  down: string
  upTint: string
  downTint: string
  accent: string
  warn: string
  series: string[]
}

export function readColors(element: HTMLElement): ChartColors {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    surface: of('--sf-surface'),
    text: of('--sf-muted'),
    line: of('--sf-line'),
    up: of('--sf-up'),
    down: of('--sf-down'),
    upTint: of('--sf-up-tint'),
    downTint: of('--sf-down-tint'),
    accent: of('--sf-focus'),
    warn: of('--sf-warn'),
    series: [1, 2, 3, 4, 5, 6].map((at) => of(`--sf-series-${at}`)),
  }
}
