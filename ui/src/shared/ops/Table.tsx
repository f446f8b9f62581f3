import { Button } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import classes from './table.module.css'

export interface Head {
  label: string
  number?: boolean
  /** what the column means, where its name does not say it */
  title?: string
  /** the name is only for who hears the page */
  quiet?: boolean
  /** what stands there in place of the name */
  content?: ReactNode
}

interface TableProps {
  label: string
  heads: readonly (Head | string)[]
  children: ReactNode
}

/** A dense table that scrolls in its panel, by keyboard too. A click on a row is one on the button that opens it. */
export function Table({ label, heads, children }: TableProps) {
  const body = useRef<HTMLTableSectionElement>(null)
  useEffect(() => {
    const rows = body.current
    rows?.addEventListener('click', openRow)
    return () => rows?.removeEventListener('click', openRow)
  }, [])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className={classes.scroll} aria-label={`${label}, table`} tabIndex={0}>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            {heads.map((head) => {
              const { label, number, title, quiet, content }: Head =
                typeof head === 'string' ? { label: head } : head
              return (
                <th key={label} scope="col" title={title} data-number={number || undefined}>
                  {content ?? (quiet ? <span className={classes.hidden}>{label}</span> : label)}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody ref={body}>{children}</tbody>
      </table>
    </section>
  )
}

function openRow({ target }: Event): void {
  const place = target as HTMLElement
  // What can be clicked itself does what it says, and a text that is being selected is no click.
  if (place.closest('a, button, input, label') || !getSelection()?.isCollapsed) return
  place.closest('tr')?.querySelector<HTMLElement>('[data-open]')?.click()
}

interface MoreProps {
  pages: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> }
}

/** What stands below a list that goes on. */
export function More({ pages }: MoreProps) {
  if (!pages.hasNextPage) return null
  return (
    <div className={classes.more}>
      <Button
        size="compact-xs"
        variant="subtle"
        loading={pages.isFetchingNextPage}
        onClick={() => void pages.fetchNextPage()}
      >
        Load older
      </Button>
    </div>
  )
}

export { classes as tableClasses }
