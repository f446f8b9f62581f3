import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { manualFeed, renderWith } from '@/features/market/testing'
import { fakeApi, Refusal } from '@/shared/test/fakeApi'
import { AlertsScreen } from './AlertsScreen'
import { type Alert, merge, passes, type Rule } from './data'
import { draftOf, emptyForm, formOf } from './rules/draft'
import { startOf } from './rules/Preview'

function alert(id: string, given: Partial<Alert> = {}): Alert {
  return {
    ...{ id, rule: 'r', symbol: 'AAPL', text: `AAPL: alert ${id}.`, when: 'price > 1', severity: 'warning' },
    ...{ time: new Date().toISOString(), price: 1, values: { price: 2 } },
    ...{ acknowledgedAt: null, acknowledgedBy: null, position: 'stock_ticks/0/7' },
    ...given,
  }
}

const rule: Rule = {
  id: 'r',
  name: 'Breakout',
  symbol: 'AAPL',
  when: 'price > 1',
  revision: 3,
  severity: 'info',
}
const wrong = new Refusal(422, {
  detail: 'the rule is no good',
  errors: [{ location: 'body.rule.when', message: 'column 7: found "abov", expected above' }],
})

async function open(answers: Record<string, unknown> = {}) {
  const { api, calls } = fakeApi({
    'GET /api/alerts': { alerts: [], next: null },
    'GET /api/rules': { rules: [rule], next: null },
    'GET /api/stocks': { stocks: [], asOf: '' },
    'GET /api/formulas': [],
    ...answers,
  })
  const manual = manualFeed(() => new Promise(() => {}))
  await renderWith(manual.feed, <AlertsScreen />, api)
  return { ...manual, calls }
}

const raise = (id: string, given: Partial<Alert> = {}) => ({
  subject: 'alerts.AAPL',
  seq: 1,
  data: alert(id, given),
})

test('what is raised comes in live above what is stored, once', async () => {
  const stored = alert('old', { time: '2026-03-02T14:00:00Z' })
  const { deliver } = await open({ 'GET /api/alerts': { alerts: [stored], next: null } })
  await screen.findByText('alert old.')
  deliver(raise('new'), raise('new'))
  await screen.findByText('alert new.')
  expect(screen.getAllByText(/^alert /).map(({ textContent }) => textContent)).toEqual([
    'alert new.',
    'alert old.',
  ])
})

test('many are acknowledged at once; what is not stored yet is told', async () => {
  const answer = { alerts: [alert('a', { acknowledgedAt: '2026-03-02T14:00:00Z' })], missing: ['b'] }
  const { calls, deliver } = await open({ 'POST /api/alerts/acknowledge': answer })
  deliver(raise('a'), raise('b'))
  await screen.findByText('alert a.')
  await userEvent.click(screen.getByRole('checkbox', { name: 'Pick all' }))
  await userEvent.click(screen.getByRole('button', { name: 'Acknowledge 2' }))
  expect(calls[0]?.body).toEqual({ ids: expect.arrayContaining(['a', 'b']), by: 'operator' })
  expect(await screen.findByText(/1 acknowledged\. 1 are not stored yet/)).toBeInTheDocument()
})

test('a condition that cannot be read is shown with its column', async () => {
  await open({ 'POST /api/rules/test': wrong })
  await userEvent.click(await screen.findByRole('button', { name: 'New rule' }))
  // Whoever asks for a new rule writes at once.
  expect(screen.getByRole('combobox', { name: /^Symbol/ })).toHaveFocus()
  await userEvent.keyboard('AAPL')
  await userEvent.type(screen.getByLabelText(/^When/), 'price abov 200')
  expect(await screen.findByText('Found "abov", expected above', {}, { timeout: 3000 })).toBeInTheDocument()
  expect(screen.getByText(/\^ column 7/)).toHaveTextContent('price abov 200')
})

test('the preview says how often a rule would have fired, and it is created', async () => {
  const test = { count: 3, alerts: [alert('x')], ticks: 900, complete: true }
  const span = { from: '2026-03-02T00:00:00Z', to: '2026-03-02T15:00:00Z' }
  const { calls } = await open({ 'POST /api/rules/test': { ...test, ...span }, 'POST /api/rules': rule })
  await userEvent.click(await screen.findByRole('button', { name: 'New rule' }))
  await userEvent.type(screen.getByRole('combobox', { name: /^Symbol/ }), '*')
  await userEvent.click(screen.getByRole('button', { name: 'Big move' }))
  expect(
    await screen.findByText('Would have fired 3 times today.', {}, { timeout: 3000 }),
  ).toBeInTheDocument()
  await userEvent.click(screen.getByRole('button', { name: 'Create' }))
  await screen.findByText(/is stored/)
  const made = calls.find(({ what }) => what === 'POST /api/rules')
  expect(made?.body).toMatchObject({ symbol: '*', when: 'change over 1% in 10m', severity: 'info' })
})

test('a rule is switched off by its revision, deleted, and put back', async () => {
  const { calls } = await open({ 'PUT /api/rules/{id}': rule, 'DELETE /api/rules/{id}': {} })
  await userEvent.click(await screen.findByRole('switch', { name: 'Judge Breakout' }))
  await waitFor(() => expect(calls).toHaveLength(1))
  expect(calls[0]?.params?.header).toEqual({ 'If-Match': '"3"' })
  expect(calls[0]?.body).toMatchObject({ when: 'price > 1', disabled: true })
  await userEvent.click(screen.getByRole('button', { name: 'Delete Breakout' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }))
  await screen.findByText(/is there again/)
  expect(calls.at(-1)?.params?.header).toEqual({ 'If-None-Match': '*' })
})

test('empty and failed lists say what to do', async () => {
  await open({ 'GET /api/rules': new Refusal(503, { detail: 'NATS does not answer' }) })
  expect(await screen.findByRole('heading', { name: 'No alert yet' })).toBeInTheDocument()
  const rules = screen.getByRole('region', { name: 'Rules' })
  expect(await within(rules).findByRole('alert', {}, { timeout: 4000 })).toHaveTextContent(
    'NATS does not answer',
  )
})

test('the parts: merging, filtering, drafts, the start of a range', () => {
  const seen = alert('a', { acknowledgedAt: '2026-03-02T14:00:00Z', time: '2026-03-02T14:00:00Z' })
  expect(
    merge([seen], [alert('a'), alert('b')]).map(({ id, acknowledgedAt }) => [id, acknowledgedAt]),
  ).toEqual([
    ['b', null],
    ['a', '2026-03-02T14:00:00Z'],
  ])
  expect(passes(seen, { acknowledged: 'false' })).toBe(false)
  expect(passes(seen, { symbol: 'AAPL', severity: 'warning', acknowledged: 'true' })).toBe(true)
  expect(draftOf(emptyForm)).toBeNull()
  expect(draftOf({ ...formOf(rule), hysteresis: '2' })).toMatchObject({ id: 'r', revision: 3, hysteresis: 2 })
  const now = Date.parse('2026-03-02T14:31:07Z')
  expect(new Date(startOf('today', now)).toISOString()).toBe('2026-03-02T00:00:00.000Z')
  expect(new Date(startOf('24h', now)).toISOString()).toBe('2026-03-01T14:31:00.000Z')
})
