import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { formatMoment } from '@/shared/lib/time'
import { formatMs } from '@/shared/ops/numbers'
import classes from '../inspector.module.css'
import { decodeSubject, type Entry, latencyOf, textOf } from './logStore'

const rowHeight = 24

interface LogRowsProps {
  entries: readonly Entry[]
  selected: Entry | null
  select: (entry: Entry | null) => void
}

/** As many rows as are in sight, of up to ten thousand. */
export function LogRows({ entries, selected, select }: LogRowsProps) {
  const box = useRef<HTMLElement>(null)
  const list = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: (index) => entries[index]?.number ?? index,
    // Whoever has scrolled down keeps what he reads in place while new rows come above it.
    anchorTo: (box.current?.scrollTop ?? 0) > rowHeight ? 'end' : 'start',
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section ref={box} className={classes.rows} aria-label="Messages, table" tabIndex={0}>
      <table className={classes.grid} aria-label="Messages" aria-rowcount={entries.length + 1}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Subject</th>
            <th scope="col" title="From Kafka to the API">
              Latency
            </th>
            <th scope="col">Payload</th>
          </tr>
        </thead>
        <tbody style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map(({ index, start, key }) => {
            const entry = entries[index]
            if (!entry) return null
            const { message } = entry
            return (
              <tr
                key={key}
                aria-rowindex={index + 2}
                data-kind={entry.kind}
                data-selected={entry.number === selected?.number || undefined}
                style={{ transform: `translateY(${start}px)` }}
                // Rows move on while a button is down: the one under the pointer then is meant.
                onPointerDown={({ button, pointerType }) => {
                  if (button === 0 && pointerType === 'mouse') select(entry)
                }}
              >
                <td>{formatMoment(entry.at)}</td>
                <th scope="row">
                  <button type="button" onClick={() => select(entry)}>
                    {decodeSubject(message.subject)}
                  </button>
                </th>
                <td>{formatMs(latencyOf(message))}</td>
                <td>{textOf(entry)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}
