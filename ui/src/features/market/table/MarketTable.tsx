import { useEffect, useMemo, useState } from 'react'
import { useFeed, useFeedStatus, useSymbols } from '../stream/FeedContext'
import { columns } from './columns'
import { MarketHead } from './MarketHead'
import { MarketRow } from './MarketRow'
import classes from './MarketTable.module.css'
import { useTablePreferences } from './preferences'
import { RowPainter } from './rowPainter'
import { orderSymbols } from './sort'

interface MarketTableProps {
  filter: string
}

/** The live prices. Rows are ordered anew once a second, so that they can be read. */
export function MarketTable({ filter }: MarketTableProps) {
  const { store } = useFeed()
  const { now, phase } = useFeedStatus()
  const symbols = useSymbols()
  const sort = useTablePreferences((preferences) => preferences.sort)
  const [painter] = useState(() => new RowPainter(store))
  const shown = useMemo(
    () => orderSymbols(store, symbols, filter, sort, now),
    [store, symbols, filter, sort, now],
  )

  useEffect(() => painter.start(), [painter])
  useEffect(() => painter.tick(now, phase === 'live'), [painter, now, phase])

  return (
    <section className={classes.scroll} aria-label="Prices">
      <table className={classes.table}>
        <caption className={classes.caption}>Live prices by symbol</caption>
        <MarketHead />
        <tbody>
          {shown.map((symbol) => (
            <MarketRow key={symbol} symbol={symbol} painter={painter} />
          ))}
          {shown.length === 0 && (
            <tr>
              <td className={classes.none} colSpan={columns.length}>
                No symbol contains “{filter.trim()}”.
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}
