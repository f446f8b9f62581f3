import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { useNarrow } from '@/shared/lib/narrow'
import { useSettings } from '@/shared/settings/settings'
import { columns } from './columns'
import { MarketHead } from './MarketHead'
import { MarketRow } from './MarketRow'
import classes from './MarketTable.module.css'
import { useExtras } from './useExtras'
import { useLines } from './useLines'
import { useRowKeys } from './useRowKeys'

interface MarketTableProps {
  filter: string
  /** only the symbol, the price, the change in per cent and the age: beside a chart */
  compact?: boolean
}

const heights = { compact: 27, normal: 33 }
/** a row that a finger can hit */
const touchHeight = 40
const headHeight = 27

/** The live prices. Only the rows in sight are there, however many symbols are. */
export function MarketTable({ filter, compact = false }: MarketTableProps) {
  const { lines, painter } = useLines(filter)
  const density = useSettings((settings) => settings.density)
  const narrow = useNarrow()
  const height = narrow ? touchHeight : heights[density]
  const box = useRef<HTMLElement>(null)
  const list = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    scrollPaddingStart: headHeight,
    overscan: 8,
    getItemKey: (index) => {
      const line = lines[index]
      return line === undefined ? index : 'symbol' in line ? line.symbol : `# ${line.heading}`
    },
  })
  const { active, onKeyDown } = useRowKeys(lines, box, (line) => list.scrollToIndex(line))
  const items = list.getVirtualItems()
  useExtras(
    items.flatMap(({ index }) => {
      const line = lines[index]
      return line && 'symbol' in line ? [line.symbol] : []
    }),
  )

  return (
    <section
      ref={box}
      className={classes.scroll}
      aria-label="Prices"
      data-compact={compact || undefined}
      onKeyDown={onKeyDown}
      style={{ '--row-height': `${height}px` }}
    >
      <table className={classes.table} aria-rowcount={lines.length + 1}>
        <caption className={classes.caption}>Live prices by symbol</caption>
        <MarketHead />
        <tbody style={{ height: lines.length === 0 ? 'auto' : list.getTotalSize() }}>
          {items.map(({ index, start, key }) => {
            const line = lines[index]
            if (line === undefined) return null
            if ('symbol' in line) {
              const { symbol } = line
              return (
                <MarketRow key={key} {...{ symbol, painter, index }} top={start} active={symbol === active} />
              )
            }
            return (
              <tr key={key} className={classes.group} style={{ transform: `translateY(${start}px)` }}>
                <th colSpan={columns.length} scope="rowgroup">
                  {line.heading} <span>{line.count}</span>
                </th>
              </tr>
            )
          })}
          {lines.length === 0 && (
            <tr className={classes.nothing}>
              <td className={classes.none} colSpan={columns.length}>
                {filter.trim() ? `No symbol contains “${filter.trim()}”.` : 'No prices yet.'}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}
