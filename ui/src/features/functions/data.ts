import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Api, read, type Schemas, useApi } from '@/shared/api/client'
import type { Sample } from '@/shared/ops/Trend'

export type FunctionView = Schemas['Function']
export type Change = Schemas['FunctionPatchBody']

export const everyMs = 2000
/** how far back the lines go */
export const span = 5 * 60_000

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
      const { at, functions } = await read('GET /api/functions', api.GET('/api/functions', { signal }))
      const before = client.getQueryData<FunctionsReading>(functionsKey)?.history
      return { at, functions, history: remember(before, Date.parse(at), functions) }
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
  const add = (samples: Sample[] | undefined, value: number) => [
    ...(samples ?? []).filter((one) => one.at > at - span && one.at < at),
    { at, value },
  ]
  return new Map(
    functions.map(({ name, rate, lag }) => {
      const known = before?.get(name)
      return [name, { rate: add(known?.rate, rate), lag: add(known?.lag, lag ?? 0) }]
    }),
  )
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
