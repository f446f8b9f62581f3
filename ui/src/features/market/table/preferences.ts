import { create } from 'zustand'
import { persist } from 'zustand/middleware'
import { type ColumnId, columns } from './columns'
import { nextSort, type Sort } from './sort'

interface TablePreferences {
  sort: Sort
  sortBy: (column: ColumnId) => void
}

const initial: Sort = { column: 'symbol', descending: false }

/** How this reader likes the table; it is kept in the browser. */
export const useTablePreferences = create<TablePreferences>()(
  persist(
    (set) => ({
      sort: initial,
      sortBy: (column) => set(({ sort }) => ({ sort: nextSort(sort, column) })),
    }),
    {
      name: 'streamflow-table',
      partialize: ({ sort }) => ({ sort }),
      // What is stored may be of another version of the page, or of somebody's hand.
      merge: (stored, current) => {
        const sort = (stored as Partial<TablePreferences> | undefined)?.sort
        return columns.some(({ id }) => id === sort?.column) && sort ? { ...current, sort } : current
      },
    },
  ),
)
