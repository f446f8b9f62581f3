import type { IChartApi } from 'lightweight-charts'

/** Where a pane begins, in px from the top of the chart; null while it is not drawn. */
export function topOfPane(chart: IChartApi, pane: number): number | null {
  const element = chart.panes()[pane]?.getHTMLElement()
  if (!element) return null
  return element.getBoundingClientRect().top - chart.chartElement().getBoundingClientRect().top
}

/** Calls change when so many panes are drawn, and whenever one takes another height. What it returns ends it. */
export function watchPanes(chart: IChartApi, count: number, change: () => void): () => void {
  const observer = new ResizeObserver(change)
  let frame = 0
  const look = () => {
    const elements = chart.panes().flatMap((pane) => pane.getHTMLElement() ?? [])
    // A chart draws its new panes in a frame that is still to come.
    if (elements.length < count) frame = requestAnimationFrame(look)
    else for (const element of elements) observer.observe(element)
  }
  look()
  return () => {
    cancelAnimationFrame(frame)
    observer.disconnect()
  }
}
