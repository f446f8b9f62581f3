import createClient, { type Client } from 'openapi-fetch'
import type { paths } from './schema'

export type Api = Client<paths>

/** The API that served this page. */
export function createApi(baseUrl = window.location.origin): Api {
  return createClient<paths>({ baseUrl })
}

export type StocksResponse = paths['/api/stocks']['get']['responses'][200]['content']['application/json']
export type Stock = NonNullable<StocksResponse['stocks']>[number]

/** What a person reads when the API cannot answer: what was wrong, and where. */
export class ApiError extends Error {
  override name = 'ApiError'
}
