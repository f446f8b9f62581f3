import { useElementSize, useMergedRef } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useCallback, useRef } from 'react'
import type { Line } from './lines'
import cards from './MarketCards.module.css'
import classes from './MarketTable.module.css'
import { LastPrice, Pin, SymbolLink } from './RowParts'
import type { RowPainter } from './rowPainter'
import { Sparkline } from './Sparkline'
import { useExtras } from './useExtras'
import { useLines } from './useLines'
import { useRowKeys } from './useRowKeys'

/** the least width of a card with its gap, where there is room and where there is little */
const widths = { roomy: 212, tight: 174 }
const roomy = 700
const height = 116
const headingHeight = 30

/** The same as the table, a card for each symbol. */
export function MarketCards({ filter }: { filter: string }) {
  const { lines, painter } = useLines(filter)
  const box = useRef<HTMLElement>(null)
  const size = useElementSize()
  const width = size.width < roomy ? widths.tight : widths.roomy
  const across = Math.max(1, Math.floor((size.width - 8) / width))
  const rows = inRows(lines, across)
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => (rows[index] && 'heading' in rows[index] ? headingHeight : height),
    paddingStart: 8,
    overscan: 3,
  })
  const { active, onKeyDown } = useRowKeys(
    lines,
    box,
    (at) => {
      const line = lines[at]
      const row = rows.findIndex(
        (one) => 'symbols' in one && line && 'symbol' in line && one.symbols.includes(line.symbol),
      )
      list.scrollToIndex(row)
    },
    across,
  )
  const items = list.getVirtualItems()
  useExtras(
    items.flatMap(({ index }) => {
      const row = rows[index]
      return row && 'symbols' in row ? row.symbols : []
    }),
  )

  return (
    <section
      ref={useMergedRef(box, size.ref)}
      className={classes.scroll}
      aria-label="Prices"
      onKeyDown={onKeyDown}
    >
      {lines.length === 0 && <p className={classes.none}>No symbol contains “{filter.trim()}”.</p>}
      <div className={cards.cards} style={{ height: list.getTotalSize(), '--across': across }}>
        {items.map(({ index, start }) => {
          const row = rows[index]
          if (!row) return null
          const style = { transform: `translateY(${start - 8}px)` }
          if ('heading' in row) {
            return (
              <h2 key={`# ${row.heading}`} className={cards.heading} style={style}>
                {row.heading}
              </h2>
            )
          }
          return (
            <div key={row.symbols[0]} className={cards.row} style={style}>
              {row.symbols.map((symbol) => (
                <Card key={symbol} symbol={symbol} painter={painter} active={symbol === active} />
              ))}
            </div>
          )
        })}
      </div>
    </section>
  )
}

type Row = { symbols: string[] } | { heading: string }

function inRows(lines: readonly Line[], across: number): Row[] {
  const rows: Row[] = []
  for (const line of lines) {
    const last = rows.at(-1)
    if ('heading' in line) rows.push({ heading: line.heading })
    else if (last && 'symbols' in last && last.symbols.length < across) last.symbols.push(line.symbol)
    else rows.push({ symbols: [line.symbol] })
  }
  return rows
}

interface CardProps {
  symbol: string
  painter: RowPainter
  active: boolean
}

const Card = memo(function Card({ symbol, painter, active }: CardProps) {
  const attach = useCallback((card: HTMLElement) => painter.attach(symbol, card), [painter, symbol])
  return (
    <article ref={attach} className={cards.card} data-symbol={symbol} aria-label={symbol}>
      <div className={cards.symbol}>
        <Pin symbol={symbol} active={active} />
        <SymbolLink symbol={symbol} active={active} />
      </div>
      <div className={cards.price}>
        <LastPrice />
      </div>
      <div className={cards.spark} title="The last hour">
        <Sparkline />
      </div>
      <div className={cards.change}>
        <span className={classes.change} data-cell="change" />
        <span className={classes.percent} data-cell="percent" />
      </div>
      <div className={cards.foot}>
        <span data-cell="volume" title="Volume of the day" />
        <span data-cell="age" title="Age of the price" />
      </div>
    </article>
  )
})
