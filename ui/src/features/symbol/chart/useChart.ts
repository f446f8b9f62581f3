import { useComputedColorScheme } from '@mantine/core'
import { type RefObject, useEffect, useRef, useState } from 'react'
import { useSettings } from '@/shared/settings/settings'
import { readColors } from './colors'
import { PriceChart } from './priceChart'

/** A chart in an element, in the colours of the theme. */
export function useChart(
  element: RefObject<HTMLElement | null>,
  onOld: () => void,
  onPoint: (time: number | null) => void,
) {
  const [chart, setChart] = useState<PriceChart | null>(null)
  const handlers = useRef({ onOld, onPoint })
  useEffect(() => {
    handlers.current = { onOld, onPoint }
  })
  useEffect(() => {
    const container = element.current
    if (!container) return
    const made = new PriceChart(container, readColors(container), {
      onOld: () => handlers.current.onOld(),
      onPoint: (time) => handlers.current.onPoint(time),
    })
    setChart(made)
    return () => {
      setChart(null)
      made.remove()
    }
  }, [element])

  const scheme = useComputedColorScheme()
  const numbers = useSettings((settings) => settings.numbers)
  const timeZone = useSettings((settings) => settings.timeZone)
  const looks = `${scheme} ${numbers} ${timeZone}`
  useEffect(() => {
    // The theme is in the document after this frame.
    if (!chart || !looks) return
    const frame = requestAnimationFrame(() => {
      if (element.current) chart.paint(readColors(element.current))
    })
    return () => cancelAnimationFrame(frame)
  }, [chart, element, looks])
  return chart
}
