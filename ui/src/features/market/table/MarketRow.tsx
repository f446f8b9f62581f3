import { memo, useCallback } from 'react'
import classes from './MarketTable.module.css'
import { LastPrice, Pin, SymbolLink } from './RowParts'
import type { RowPainter } from './rowPainter'
import { Sparkline } from './Sparkline'

interface MarketRowProps {
  symbol: string
  painter: RowPainter
  /** where the row stands, in px, and which it is of all */
  top: number
  index: number
  /** whether Tab reaches it; the arrows reach all */
  active: boolean
}

/** A row's frame: the painter writes what is in the cells with data-cell. */
export const MarketRow = memo(function MarketRow({ symbol, painter, top, index, active }: MarketRowProps) {
  const attach = useCallback((row: HTMLTableRowElement) => painter.attach(symbol, row), [painter, symbol])
  return (
    <tr
      ref={attach}
      className={classes.row}
      data-symbol={symbol}
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)` }}
    >
      <th scope="row" className={classes.symbol} title={symbol}>
        <SymbolLink symbol={symbol} active={active} />
        <Pin symbol={symbol} active={active} />
      </th>
      <td className={classes.last}>
        <LastPrice />
      </td>
      <td className={classes.change} data-cell="change" />
      <td className={classes.percent} data-cell="percent" />
      <td className={classes.volume} data-cell="volume" />
      <td className={classes.spark}>
        <Sparkline />
      </td>
      <td className={classes.trend} data-cell="trend" />
      <td className={classes.age} data-cell="age" />
    </tr>
  )
})
