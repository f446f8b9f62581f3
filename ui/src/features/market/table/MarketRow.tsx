import { IconPin, IconPinnedFilled } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo, useCallback } from 'react'
import classes from './MarketTable.module.css'
import { useTablePreferences } from './preferences'
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
        <Link
          to="/s/$symbol"
          params={{ symbol }}
          className={classes.link ?? ''}
          tabIndex={active ? 0 : -1}
          data-row-link={symbol}
        >
          {symbol}
        </Link>
        <Pin symbol={symbol} active={active} />
      </th>
      <td className={classes.last}>
        <span className={classes.arrow} data-cell="arrow" aria-hidden="true" />
        <span className={classes.price} data-cell="last" />
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

export function Pin({ symbol, active }: { symbol: string; active: boolean }) {
  const pinned = useTablePreferences((preferences) => preferences.pinned.includes(symbol))
  const toggle = useTablePreferences((preferences) => preferences.togglePin)
  const Icon = pinned ? IconPinnedFilled : IconPin
  const label = `${pinned ? 'Unpin' : 'Pin'} ${symbol}`
  return (
    <button
      type="button"
      className={classes.pin}
      data-pinned={pinned || undefined}
      aria-label={label}
      title={`${label} (p)`}
      tabIndex={active ? 0 : -1}
      onClick={() => toggle(symbol)}
    >
      <Icon size={13} aria-hidden />
    </button>
  )
}
