import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Api, read, type Schemas, useApi } from '@/shared/api/client'
import type { Sample } from '@/shared/ops/scale'

export type FunctionView = Schemas['Function']
export type Change = Schemas['FunctionPatchBody']

export const everyMs = 2000
/** how far back the lines go */
export const span = 5 * 60_000

/** a line has a break where nothing is known for so long */
const gap = 10_000

export interface History {
  rate: Sample[]
  lag: Sample[]
}

export interface FunctionsReading {
  at: string
  functions: FunctionView[]
  history: ReadonlyMap<string, History>
}

export const functionsKey = ['functions'] as const

/** All functions, read every two seconds, and how they did in the last minutes. */
export function useFunctions() {
  const api = useApi()
  const client = useQueryClient()
  return useQuery({
    queryKey: functionsKey,
    queryFn: async ({ signal }): Promise<FunctionsReading> => {
      const before = client.getQueryData<FunctionsReading>(functionsKey)
      const readAt = client.getQueryState(functionsKey)?.dataUpdatedAt ?? 0
      // Who comes, or comes back, is told what was measured meanwhile.
      const history = Date.now() - readAt > gap
      const params = { query: history ? { history } : {} }
      const { at, functions } = await read(
        'GET /api/functions',
        api.GET('/api/functions', { params, signal }),
      )
      return { at, functions, history: remember(before?.history, Date.parse(at), functions) }
    },
    refetchInterval: everyMs,
    retry: 1,
    staleTime: 0,
    gcTime: span,
  })
}

/** Adds a reading to what is known, and lets go of what is too old to be shown. */
export function remember(
  before: ReadonlyMap<string, History> | undefined,
  at: number,
  functions: readonly FunctionView[],
): ReadonlyMap<string, History> {
  return new Map(
    functions.map(({ name, rate, lag, history }) => {
      const known = before?.get(name)
      const told = (history ?? []).map((one) => ({ ...one, at: Date.parse(one.at) }))
      const rates = told.map((one) => ({ at: one.at, value: one.rate }))
      const lags = told.map((one) => ({ at: one.at, value: one.lag }))
      return [
        name,
        {
          rate: joined(at, known?.rate, rates, { at, value: rate }),
          lag: joined(at, known?.lag, lags, { at, value: lag }),
        },
      ]
    }),
  )
}

interface Reading {
  at: number
  /** null where nobody could tell */
  value: number | null
}

function joined(now: number, known: Sample[] = [], told: readonly Reading[], news: Reading): Sample[] {
  // What this page has read itself stands closer together than what it is told.
  const last = known.at(-1)?.at ?? Number.NEGATIVE_INFINITY
  const earlier = [...known, ...told.filter(({ at }) => at > last)]
  return [...earlier.filter(({ at }) => at > now - span && at < now), news].filter(isKnown)
}

function isKnown(one: Reading): one is Sample {
  return one.value !== null
}

/** Changes what is wanted of a function; the answer is how it stands then. */
export function useChangeFunction() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ name, change }: { name: string; change: Change }) =>
      read(
        `PATCH /api/functions/${name}`,
        api.PATCH('/api/functions/{name}', { params: { path: { name } }, body: change }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: functionsKey }),
  })
}

export function useReplayFunction() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ name, from }: { name: string; from: string }) =>
      read(
        `POST /api/functions/${name}/replay`,
        api.POST('/api/functions/{name}/replay', { params: { path: { name } }, body: { from } }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: functionsKey }),
  })
}

/** The newest result about each key. A sink publishes none. */
export function useOutputs(name: string, enabled: boolean) {
  const api = useApi()
  return useQuery({
    queryKey: ['results', name],
    queryFn: ({ signal }) => readResults(api, name, signal),
    refetchInterval: 5000,
    staleTime: 0,
    enabled,
  })
}

async function readResults(api: Api, name: string, signal: AbortSignal) {
  const { results } = await read(
    `GET /api/results/${name}`,
    api.GET('/api/results/{function}', {
      params: { path: { function: name }, query: { limit: 200 } },
      signal,
    }),
  )
  return [...results].sort((a, b) => b.at.localeCompare(a.at))
}
