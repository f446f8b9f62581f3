import createClient, { type Client } from 'openapi-fetch'
import { createContext, useContext } from 'react'
import type { components, paths } from './schema'

export type Api = Client<paths>
export type Schemas = components['schemas']

/** The API that served this page. */
export function createApi(baseUrl = window.location.origin): Api {
  return createClient<paths>({ baseUrl })
}

const ApiContext = createContext<Api | null>(null)

export const ApiProvider = ApiContext.Provider

/** The API, typed by its OpenAPI document: useApi().GET('/api/stocks'). */
export function useApi(): Api {
  const api = useContext(ApiContext)
  if (!api) throw new Error('useApi: no ApiProvider is above this component')
  return api
}

export type StocksResponse = paths['/api/stocks']['get']['responses'][200]['content']['application/json']
export type Stock = NonNullable<StocksResponse['stocks']>[number]

/** What a person reads when the API cannot answer: what was wrong, and where. */
export class ApiError extends Error {
  override name = 'ApiError'

  constructor(
    message: string,
    /** of HTTP; 0 where there was no answer */
    readonly status = 0,
    /** what is wrong with each field, by its place ("body.when") */
    readonly fields: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

interface Problem {
  title?: string
  detail?: string
  errors?: { location?: string; message?: string }[] | null
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/**
 * Waits for an answer and returns what is in it, or throws an ApiError that a
 * person can read: `read('GET /api/rules', api.GET('/api/rules', { signal }))`.
 */
export async function read<T>(what: string, asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiError(`The API cannot be reached (${what}).`, 0, {}, { cause })
  })
  if (response.ok) return data as T
  const problem = (typeof error === 'object' && error !== null ? error : {}) as Problem
  const fields: Record<string, string> = {}
  for (const { location, message } of problem.errors ?? []) {
    if (location && message) fields[location] = message
  }
  const detail = problem.detail || problem.title || response.statusText || 'no reason given'
  const more = Object.entries(fields).map(([place, message]) => `${place}: ${message}`)
  throw new ApiError(
    `The API answered ${what} with ${response.status}: ${[detail, ...more].join('; ')}`,
    response.status,
    fields,
  )
}
