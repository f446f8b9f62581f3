import { useEffect, useState } from 'react'
import { RowPainter, useFeed } from '@/features/market'
import { useStreamStatus } from '@/shared/stream'
import classes from './SymbolScreen.module.css'

/** The symbol and what it does now, painted as the rows of the market are. */
export function QuoteHead({ symbol }: { symbol: string }) {
  const { store } = useFeed()
  const { now, phase } = useStreamStatus()
  const [painter] = useState(() => new RowPainter(store))
  const [element, setElement] = useState<HTMLElement | null>(null)
  useEffect(() => painter.start(), [painter])
  useEffect(() => painter.tick(now, phase === 'live'), [painter, now, phase])
  useEffect(() => {
    if (element) return painter.attach(symbol, element)
  }, [painter, symbol, element])
  return (
    <div ref={setElement} key={symbol} className={classes.quote}>
      <h1 className={classes.name}>{symbol}</h1>
      <span className={classes.last}>
        <span className={classes.arrow} data-cell="arrow" aria-hidden="true" />
        <span className={classes.price} data-cell="last" />
      </span>
      <span className={classes.change} data-cell="change" />
      <span className={classes.change} data-cell="percent" />
      <span className={classes.small}>
        Vol <span data-cell="volume" />
      </span>
      <span className={classes.small} data-cell="age" />
    </div>
  )
}
