import { notifications } from '@mantine/notifications'
import { screen, waitFor } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { manualFeed, renderWith } from '@/features/market/testing'
import { fakeApi } from '@/shared/test/fakeApi'
import { AlertWatch } from './AlertWatch'

afterEach(() => notifications.clean())

async function watch() {
  const manual = manualFeed(() => new Promise(() => {}))
  await renderWith(manual.feed, <AlertWatch />, fakeApi({}).api)
  const raise = (...ids: string[]) =>
    manual.deliver(
      ...ids.map((id) => ({
        subject: 'alerts.AAPL',
        seq: 1,
        data: { id, rule: 'r', symbol: 'AAPL', text: `alert ${id}.`, severity: 'warning' },
      })),
    )
  const told = () => screen.queryAllByRole('alert').map(({ textContent }) => textContent)
  return { raise, told }
}

test('an alert is told that comes before what it is shown with', async () => {
  const { raise, told } = await watch()
  raise('first')
  await waitFor(() => expect(told()).toEqual(['warning alert first.']))
})

test('of a storm some are told, and how many there are', async () => {
  const { raise, told } = await watch()
  raise('1', '2', '3', '4', '5')
  await waitFor(() => expect(told()).toHaveLength(3))
  expect(told().at(-1)).toBe('3 more alertsSee all of them')
})

test('the newest take the place of the oldest, and nobody waits in line', async () => {
  const { raise, told } = await watch()
  raise('1', '2', '3')
  await waitFor(() => expect(told()).toHaveLength(3))
  raise('4')
  await waitFor(() => expect(told()).toEqual(['warning alert 2.', 'warning alert 3.', 'warning alert 4.']))
})
