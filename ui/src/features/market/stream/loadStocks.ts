import { type Api, ApiError, type StocksResponse } from '@/shared/api/client'

export interface LoadedStocks {
  response: StocksResponse
  /** the server's clock as its answer left, unix ms; NaN if it did not say */
  date: number
}

export type LoadStocks = (signal: AbortSignal) => Promise<LoadedStocks>

const patience = 10_000

/** Reads /api/stocks; what fails is an ApiError that says what to look at. */
export function stocksLoader(api: Api): LoadStocks {
  return async (signal) => {
    const slow = AbortSignal.timeout(patience)
    const answer = await api
      .GET('/api/stocks', { signal: AbortSignal.any([signal, slow]) })
      .catch((cause) => {
        if (signal.aborted) throw cause
        const what = slow.aborted ? `did not answer within ${patience / 1000} s` : 'cannot be reached'
        throw new ApiError(`The API ${what} (GET /api/stocks).`, { cause })
      })
    const { data, error, response } = answer
    if (!data) {
      const detail = error?.detail ?? error?.title ?? response.statusText
      throw new ApiError(
        `The API answered GET /api/stocks with ${response.status}: ${detail || 'no reason given'}.`,
      )
    }
    return { response: data, date: Date.parse(response.headers.get('date') ?? '') }
  }
}
