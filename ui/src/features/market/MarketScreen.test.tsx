import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { ApiError, type Stock } from '@/shared/api/client'
import { listenToKeys } from '@/shared/shortcuts/shortcuts'
import { MarketScreen } from './MarketScreen'
import { isLate } from './Notices'
import { useTablePreferences } from './table/preferences'
import { answer, manualFeed, renderWith, stock, tick } from './testing'

beforeEach(() => {
  useTablePreferences.setState(useTablePreferences.getInitialState())
})

/** The screen with these stocks, live. */
async function open(...stocks: Stock[]) {
  const manual = manualFeed(async () => ({ response: answer(...stocks), date: Date.now() }))
  await renderWith(manual.feed, <MarketScreen />)
  // The query tells its views in a timer, which a busy machine may run late.
  await waitFor(() => {
    manual.frame()
    expect(screen.queryByText('Loading prices…')).not.toBeInTheDocument()
  })
  manual.phase('live')
  act(() => manual.feed.start())
  onTestFinished(listenToKeys(document))
  return manual
}

const row = (symbol: string) =>
  screen.getByRole('row', { name: new RegExp(`^${symbol.replace('.', '\\.')} `) })
const shown = () =>
  screen
    .queryAllByRole('rowheader')
    .flatMap((cell) => cell.closest<HTMLElement>('[data-symbol]')?.dataset.symbol ?? [])

test('a tick moves the price, the change, the volume and the arrow', async () => {
  const { deliver, frame } = await open(stock('AAPL', { price: 100, reference: 99, seq: 10, dayVolume: 900 }))
  expect(row('AAPL')).toHaveTextContent('AAPL100.00+1.00+1.01%9000s')
  deliver(tick('AAPL', 11, 98, { volume: 5 }))
  expect(row('AAPL')).toHaveTextContent('100.00')
  frame()
  expect(row('AAPL')).toHaveTextContent('AAPL▼98.00−1.00−1.01%9050s')
  expect(row('AAPL')).toHaveAttribute('data-move', 'down')
  expect(row('AAPL').querySelector('[data-cell="last"]')).toHaveAttribute('data-flash', 'down')
})

test('a symbol that was not known gets a row when it ticks', async () => {
  const { deliver, frame } = await open(stock('AAPL'))
  deliver(tick('BRK.B', 11, 500))
  frame()
  expect(shown()).toEqual(['AAPL', 'BRK.B'])
  expect(row('BRK.B')).toHaveTextContent('500.00')
})

test('old prices look old: after 10 s, and at once when the connection is gone', async () => {
  const old = new Date(Date.now() - 61_000).toISOString()
  const { phase, calls } = await open(stock('AAPL'), stock('MSFT', { timestamp: old }))
  expect(row('MSFT')).toHaveTextContent('stale 1m')
  expect(row('AAPL')).not.toHaveTextContent('stale')
  phase('reconnecting')
  expect(row('AAPL')).toHaveTextContent('stale 0s')
  await userEvent.click(screen.getByRole('button', { name: 'Connect now' }))
  expect(calls).toContain('retry')
  phase('live')
  expect(row('AAPL')).not.toHaveTextContent('stale')
})

test('rows are filtered by text and ordered by a click on a head', async () => {
  await open(stock('AAPL', { price: 3 }), stock('MSFT', { price: 1 }), stock('BRK.B', { price: 2 }))
  expect(shown()).toEqual(['AAPL', 'BRK.B', 'MSFT'])
  await userEvent.click(screen.getByRole('button', { name: 'Last' }))
  expect(shown()).toEqual(['AAPL', 'BRK.B', 'MSFT'])
  expect(screen.getByRole('columnheader', { name: 'Last' })).toHaveAttribute('aria-sort', 'descending')
  await userEvent.click(screen.getByRole('button', { name: 'Last' }))
  expect(shown()).toEqual(['MSFT', 'BRK.B', 'AAPL'])
  await userEvent.keyboard('{Escape}/k.b')
  expect(shown()).toEqual(['BRK.B'])
  await userEvent.keyboard('zzz')
  expect(screen.getByText('No symbol contains “k.bzzz”.')).toBeInTheDocument()
  await userEvent.keyboard('{Escape}')
  expect(shown()).toHaveLength(3)
})

test('with no ticks it says how to get some', async () => {
  const { deliver, frame } = await open()
  expect(screen.getByRole('heading', { name: 'No ticks yet' })).toBeInTheDocument()
  expect(screen.getByText('streamflow simulate')).toBeInTheDocument()
  deliver(tick('AAPL', 1, 10))
  frame()
  expect(shown()).toEqual(['AAPL'])
})

test('an API that cannot be read is told, and can be tried again', async () => {
  let up = false
  const { feed, frame } = manualFeed(async () => {
    if (!up) throw new ApiError('The API cannot be reached (GET /api/stocks).')
    return { response: answer(stock('AAPL')), date: Date.now() }
  })
  await renderWith(feed, <MarketScreen />)
  expect(screen.getByText('Loading prices…')).toBeInTheDocument()
  expect(await screen.findByRole('alert')).toHaveTextContent('The API cannot be reached')
  up = true
  await userEvent.click(screen.getByRole('button', { name: 'Try again now' }))
  frame()
  expect(shown()).toEqual(['AAPL'])
})

test('prices that come late are told, and when they do not any more', async () => {
  const { deliver, hub } = await open(stock('AAPL'))
  hub.start()
  onTestFinished(() => hub.stop())
  deliver({ ...tick('AAPL', 11, 98), hops: { kafka: Date.now() - 20_000, api: Date.now() } })
  expect(await screen.findByText(/Prices come 2\d\.\d s late/, {}, { timeout: 5000 })).toBeInTheDocument()
  expect([isLate(false, 3000), isLate(true, 3000), isLate(true, 1999), isLate(false, null)]).toEqual([
    ...[false, true, false, false],
  ])
})

test('what the server refuses stands above the prices', async () => {
  const { deliver } = await open(stock('AAPL'))
  deliver({ error: { code: 'limit', message: 'at most 100 subscriptions' } })
  const [notice] = screen.getAllByText(/at most 100 subscriptions/)
  expect(notice).toBeVisible()
})

test('the number of symbols stands above them', async () => {
  await open(stock('AAPL'), stock('MSFT'))
  expect(screen.getByText('2 symbols')).toBeInTheDocument()
})

test('pinned symbols stand first, whatever the order', async () => {
  await open(stock('AAPL'), stock('MSFT'))
  await userEvent.click(screen.getByRole('button', { name: 'Pin MSFT' }))
  expect(shown()).toEqual(['MSFT', 'AAPL'])
  await userEvent.click(screen.getByRole('button', { name: 'Unpin MSFT' }))
  expect(shown()).toEqual(['AAPL', 'MSFT'])
})

test('a thousand symbols are as many rows as are in sight', async () => {
  await open(...Array.from({ length: 1000 }, (_, index) => stock(`S${index}`)))
  expect(shown().length).toBeGreaterThan(15)
  expect(shown().length).toBeLessThan(60)
  expect(screen.getByRole('table')).toHaveAttribute('aria-rowcount', '1001')
})

test('cards show the same, and are reached by the arrows', async () => {
  const { deliver, frame } = await open(stock('AAPL', { price: 100 }), stock('MSFT'))
  await userEvent.click(screen.getByRole('radio', { name: 'Cards' }))
  deliver(tick('AAPL', 11, 98))
  frame()
  expect(screen.getByRole('article', { name: 'AAPL' })).toHaveTextContent('98.00')
})

test('the trend is a word of the function indicators', async () => {
  const { deliver, frame } = await open(stock('AAPL'))
  deliver({
    subject: 'indicators.AAPL',
    seq: 1,
    view: true,
    data: { symbol: 'AAPL', interval: 'tick', trend: 'down' },
  })
  frame()
  expect(row('AAPL')).toHaveTextContent('↘ down')
})
