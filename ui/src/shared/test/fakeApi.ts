import type { Api } from '@/shared/api/client'

interface Given {
  params?: {
    path?: Record<string, unknown>
    query?: Record<string, unknown>
    header?: Record<string, string>
  }
  body?: unknown
}

export interface Call extends Given {
  /** "PATCH /api/functions/{name}" */
  what: string
}

/** An answer that is no good. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly problem: object,
  ) {}
}

type Answers = Record<string, unknown | ((given: Given) => unknown)>

/** An API that answers by method and path; calls are what it was asked beside GET. What is not given is not there. */
export function fakeApi(answers: Answers): { api: Api; calls: Call[] } {
  const calls: Call[] = []
  const method =
    (name: string) =>
    async (path: string, given: Given = {}) => {
      const what = `${name} ${path}`
      if (name !== 'GET')
        calls.push({ what, ...(given.params && { params: given.params }), body: given.body })
      const answer = answers[what] ?? new Refusal(404, { title: 'Not Found' })
      const data = typeof answer === 'function' ? answer(given) : answer
      if (data instanceof Refusal) {
        return { error: data.problem, response: new Response(null, { status: data.status }) }
      }
      return { data, response: new Response() }
    }
  const api = Object.fromEntries(
    ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((name) => [name, method(name)]),
  )
  return { api: api as unknown as Api, calls }
}
