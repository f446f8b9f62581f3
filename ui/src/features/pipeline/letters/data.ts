import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { read, type Schemas, useApi } from '@/shared/api/client'
import { given, usePages } from '@/shared/api/pages'

export type Letter = Schemas['DeadLetter']
export type LetterState = Letter['state']
export type LetterResults = Schemas['DeadLetterResults']
export type LetterReplay = Schemas['DeadLetterReplayBody']

export interface LetterFilter {
  state?: LetterState | undefined
  reason?: string | undefined
  topic?: string | undefined
  /** of this function only; 'bridge' for what the bridge refused */
  function?: string | undefined
}

const key = 'deadletters'

/** Dead letters, the newest first, by pages. */
export function useLetters(filter: LetterFilter) {
  const api = useApi()
  const ask = (cursor: { cursor?: string }, signal: AbortSignal) => {
    const query = { ...given(filter), ...cursor, limit: 50 }
    return read('GET /api/deadletters', api.GET('/api/deadletters', { params: { query }, signal }))
  }
  return usePages([key, 'list', filter], ask, 10_000)
}

/** One with all of its value: lists show only its beginning. */
export function useLetter(id: number) {
  const api = useApi()
  return useQuery({
    queryKey: [key, 'one', id],
    queryFn: ({ signal }) =>
      read(
        `GET /api/deadletters/${id}`,
        api.GET('/api/deadletters/{id}', { params: { path: { id } }, signal }),
      ),
  })
}

export function useRefreshLetters() {
  const client = useQueryClient()
  return () => void client.invalidateQueries({ queryKey: [key] })
}

export function useReplayLetters() {
  const api = useApi()
  return useMutation({
    mutationFn: (body: LetterReplay) =>
      read('POST /api/deadletters/replay', api.POST('/api/deadletters/replay', { body })),
    onSettled: useRefreshLetters(),
  })
}

export function useDiscardLetters() {
  const api = useApi()
  return useMutation({
    mutationFn: (body: Schemas['DeadLetterDiscardBody']) =>
      read('POST /api/deadletters/discard', api.POST('/api/deadletters/discard', { body })),
    onSettled: useRefreshLetters(),
  })
}

/** One sentence on what came of it; the first reason stands for the others. */
export function sayResults(did: string, { done, failed, results }: LetterResults): string {
  const where = results.length === 1 && results[0]?.position ? ` to ${results[0].position}` : ''
  const good = done > 0 ? `${done} ${did}${where}.` : ''
  if (failed === 0) return good
  const reason = results.find(({ error }) => error)?.error ?? 'no reason given'
  return `${good} ${failed} not ${did}: ${reason}`.trim()
}
