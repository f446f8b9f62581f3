import { create } from 'zustand'
import { persist } from 'zustand/middleware'
import { type ColumnId, columns } from './columns'
import { nextSort, type Sort } from './sort'

export const views = ['table', 'cards'] as const
export type View = (typeof views)[number]

export const groupings = ['none', 'direction', 'letter'] as const
export type Grouping = (typeof groupings)[number]

interface TablePreferences {
  sort: Sort
  view: View
  grouping: Grouping
  /** symbols that stand above all others, in the order in which they were pinned */
  pinned: readonly string[]
  sortBy: (column: ColumnId) => void
  show: (view: View) => void
  group: (grouping: Grouping) => void
  togglePin: (symbol: string) => void
}

const initial: Sort = { column: 'symbol', descending: false }

/** How this reader likes the table; it is kept in the browser. */
export const useTablePreferences = create<TablePreferences>()(
  persist(
    (set) => ({
      sort: initial,
      view: 'table',
      grouping: 'none',
      pinned: [],
      sortBy: (column) => set(({ sort }) => ({ sort: nextSort(sort, column) })),
      show: (view) => set({ view }),
      group: (grouping) => set({ grouping }),
      togglePin: (symbol) =>
        set(({ pinned }) => ({
          pinned: pinned.includes(symbol) ? pinned.filter((one) => one !== symbol) : [...pinned, symbol],
        })),
    }),
    {
      name: 'streamflow-table',
      partialize: ({ sort, view, grouping, pinned }) => ({ sort, view, grouping, pinned }),
      // What is stored may be of another version of the page, or of somebody's hand.
      merge: (stored, current) => ({ ...current, ...valid(stored) }),
    },
  ),
)

function valid(stored: unknown): Partial<TablePreferences> {
  if (typeof stored !== 'object' || stored === null) return {}
  const given = stored as Partial<TablePreferences>
  const good: Partial<TablePreferences> = {}
  if (given.sort && columns.some(({ id }) => id === given.sort?.column)) good.sort = given.sort
  if (given.view && views.includes(given.view)) good.view = given.view
  if (given.grouping && groupings.includes(given.grouping)) good.grouping = given.grouping
  if (Array.isArray(given.pinned)) {
    good.pinned = given.pinned.filter((symbol) => typeof symbol === 'string')
  }
  return good
}
