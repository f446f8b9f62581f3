import { type Api, ApiError, read, type StocksResponse } from '@/shared/api/client'

export interface LoadedStocks {
  response: StocksResponse
  /** the server's clock as its answer left, unix ms; NaN if it did not say */
  date: number
}

export type LoadStocks = (signal: AbortSignal) => Promise<LoadedStocks>

const patience = 10_000
const what = 'GET /api/stocks'

/** Reads /api/stocks; what fails is an ApiError that says what to look at. */
export function stocksLoader(api: Api): LoadStocks {
  return async (signal) => {
    const slow = AbortSignal.timeout(patience)
    const asked = api.GET('/api/stocks', { signal: AbortSignal.any([signal, slow]) })
    try {
      const response = await read(what, asked)
      return { response, date: Date.parse((await asked).response.headers.get('date') ?? '') }
    } catch (cause) {
      if (signal.aborted || !slow.aborted) throw cause
      throw new ApiError(`The API did not answer within ${patience / 1000} s (${what}).`, 0, {}, { cause })
    }
  }
}
