import { columns } from './columns'
import classes from './MarketTable.module.css'
import { useTablePreferences } from './preferences'

/** The heads of the columns: a click orders the rows by one. */
export function MarketHead() {
  const { sort, sortBy } = useTablePreferences()
  return (
    <thead>
      <tr>
        {columns.map(({ id, label, hint }) => {
          const sorted = sort.column === id ? (sort.descending ? 'descending' : 'ascending') : undefined
          return (
            <th key={id} scope="col" className={`${classes.head} ${classes[id]}`} aria-sort={sorted}>
              <button type="button" className={classes.sort} title={hint} onClick={() => sortBy(id)}>
                {label}
                {sorted && <span aria-hidden="true">{sorted === 'descending' ? '↓' : '↑'}</span>}
              </button>
            </th>
          )
        })}
      </tr>
    </thead>
  )
}
