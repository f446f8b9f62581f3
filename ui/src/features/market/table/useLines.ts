import { useEffect, useMemo, useState } from 'react'
import { useStreamStatus } from '@/shared/stream'
import { useFeed, useSymbols } from '../stream/FeedContext'
import { groupLines, type Line } from './lines'
import { useTablePreferences } from './preferences'
import { RowPainter } from './rowPainter'
import { orderSymbols } from './sort'

/** The lines to show, ordered anew once a second so that they can be read, and who paints them. */
export function useLines(filter: string): { lines: Line[]; painter: RowPainter } {
  const { store } = useFeed()
  const { now, phase } = useStreamStatus()
  const symbols = useSymbols()
  const { sort, pinned, grouping } = useTablePreferences()
  const [painter] = useState(() => new RowPainter(store))
  const lines = useMemo(
    () => groupLines(store, orderSymbols(store, symbols, filter, sort, now), pinned, grouping),
    [store, symbols, filter, sort, now, pinned, grouping],
  )
  useEffect(() => painter.start(), [painter])
  useEffect(() => painter.tick(now, phase === 'live'), [painter, now, phase])
  return { lines, painter }
}
