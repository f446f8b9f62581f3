import { useNavigate, useSearch } from '@tanstack/react-router'

type Search = Record<string, string | undefined>

/**
 * What stands behind the question mark of the address, and how to change it:
 * what a screen shows can be linked to. Values are what somebody may have typed.
 */
export function useAddress(): [search: Search, change: (news: Search) => void] {
  const found = useSearch({ strict: false }) as Record<string, unknown>
  const navigate = useNavigate()
  const search: Search = {}
  for (const [name, value] of Object.entries(found)) {
    if (typeof value === 'string' || typeof value === 'number') search[name] = String(value).slice(0, 300)
  }
  const change = (news: Search) =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, ...news }) as never, replace: true })
  return [search, change]
}
