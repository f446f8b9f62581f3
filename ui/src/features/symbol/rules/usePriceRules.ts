import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ApiError, read, type Schemas, useApi } from '@/shared/api/client'
import { atPrice, type PriceRule, readPriceRule } from './priceRule'

type RuleView = Schemas['RuleView']

export interface RuleLevel {
  rule: RuleView
  price: number
  parsed: PriceRule
}

/** The rules of a symbol that are one price each, and how to change them. */
export function usePriceRules(symbol: string) {
  const api = useApi()
  const client = useQueryClient()
  const key = ['rules', 'of', symbol]
  const rules = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      read('GET /api/rules', api.GET('/api/rules', { params: { query: { symbol, limit: 200 } }, signal })),
    staleTime: 30_000,
    retry: false,
  })
  const levels = (rules.data?.rules ?? []).flatMap((rule): RuleLevel[] => {
    const parsed = readPriceRule(rule.when)
    return parsed ? [{ rule, price: parsed.price, parsed }] : []
  })
  // Whatever came of it: what the server has now is what is drawn.
  const settle = () => client.invalidateQueries({ queryKey: ['rules'] })

  const move = useMutation({
    mutationFn: ({ id, price }: { id: string; price: number }) => {
      const level = levels.find(({ rule }) => rule.id === id)
      if (!level) throw new ApiError(`The rule ${id} is not there any more.`)
      const body = { ...level.rule, when: atPrice(level.parsed, price) }
      const header = { 'If-Match': `"${level.rule.revision}"` }
      return read(
        `PUT /api/rules/${id}`,
        api.PUT('/api/rules/{id}', { params: { path: { id }, header }, body }),
      )
    },
    onMutate: ({ id, price }) => {
      client.setQueryData<typeof rules.data>(key, (page) => {
        if (!page) return page
        const moved = (page.rules ?? []).map((rule) => {
          const parsed = rule.id === id ? readPriceRule(rule.when) : null
          return parsed ? { ...rule, when: atPrice(parsed, price) } : rule
        })
        return { ...page, rules: moved }
      })
    },
    onSettled: settle,
  })
  const add = useMutation({
    mutationFn: (when: string) =>
      read(
        'POST /api/rules',
        api.POST('/api/rules', {
          body: { symbol, when, severity: 'info', name: `${symbol} ${when}` } as RuleView,
        }),
      ),
    onSettled: settle,
  })
  const remove = useMutation({
    mutationFn: (id: string) =>
      read(`DELETE /api/rules/${id}`, api.DELETE('/api/rules/{id}', { params: { path: { id } } })),
    onSettled: settle,
  })
  return { levels, error: rules.error, move, add, remove }
}
