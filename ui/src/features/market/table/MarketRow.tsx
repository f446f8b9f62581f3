import { memo, useCallback } from 'react'
import classes from './MarketTable.module.css'
import type { RowPainter } from './rowPainter'

interface MarketRowProps {
  symbol: string
  painter: RowPainter
}

/** A row's frame: the painter writes what is in the cells with data-cell. */
export const MarketRow = memo(function MarketRow({ symbol, painter }: MarketRowProps) {
  const attach = useCallback((row: HTMLTableRowElement) => painter.attach(symbol, row), [painter, symbol])
  return (
    <tr ref={attach} className={classes.row} data-symbol={symbol}>
      <th scope="row" className={classes.symbol} title={symbol}>
        {symbol}
      </th>
      <td className={classes.last}>
        <span className={classes.arrow} data-cell="arrow" aria-hidden="true" />
        <span className={classes.price} data-cell="last" />
      </td>
      <td className={classes.change} data-cell="change" />
      <td className={classes.percent} data-cell="percent" />
      <td className={classes.volume} data-cell="volume" />
      <td className={classes.age} data-cell="age" />
    </tr>
  )
})
