import { IconPin, IconPinnedFilled } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import classes from './MarketTable.module.css'
import { useTablePreferences } from './preferences'

interface SymbolPartProps {
  symbol: string
  /** whether Tab reaches it; the arrows reach all */
  active: boolean
}

/** The way from a row or card to the symbol's own screen. */
export function SymbolLink({ symbol, active }: SymbolPartProps) {
  return (
    <Link
      to="/s/$symbol"
      params={{ symbol }}
      // From one chart to another: its interval and indicators go with the reader.
      search={(before) => before as object}
      className={classes.link ?? ''}
      tabIndex={active ? 0 : -1}
      data-row-link={symbol}
    >
      {symbol}
    </Link>
  )
}

/** The last price and where it moved, which the painter writes. */
export function LastPrice() {
  return (
    <>
      <span className={classes.arrow} data-cell="arrow" aria-hidden="true" />
      <span className={classes.price} data-cell="last" />
    </>
  )
}

/** Keeps a symbol above all others. */
export function Pin({ symbol, active }: SymbolPartProps) {
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
