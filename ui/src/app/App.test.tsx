import { QueryClient } from '@tanstack/react-query'
import { createMemoryHistory } from '@tanstack/react-router'
import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test } from 'vitest'
import { answer, answeringApi, manualFeed, stock } from '@/features/market/testing'
import { defaults, useSettings } from '@/shared/settings/settings'
import { App } from './App'
import { createPageRouter } from './router'

beforeEach(() => useSettings.setState(defaults))

async function openAt(address: string) {
  const manual = manualFeed(async () => ({ response: answer(stock('AAPL')), date: Date.now() }))
  const router = createPageRouter(createMemoryHistory({ initialEntries: [address] }))
  const rendered = render(
    <App api={answeringApi()} feed={manual.feed} queryClient={new QueryClient()} router={router} />,
  )
  await screen.findByRole('navigation', { name: 'Screens' })
  return { ...manual, ...rendered, router }
}

test('the app starts its stream, stops it, and goes round the themes', async () => {
  const { calls, unmount } = await openAt('/')
  expect(calls).toContain('start')
  expect(screen.getByRole('link', { name: 'API docs' })).toHaveAttribute('href', '/docs')

  const scheme = () => document.documentElement.getAttribute('data-mantine-color-scheme')
  await userEvent.click(screen.getByRole('button', { name: 'Theme: as the system. Change to light' }))
  await userEvent.click(screen.getByRole('button', { name: 'Theme: light. Change to dark' }))
  expect(scheme()).toBe('dark')
  await userEvent.click(screen.getByRole('button', { name: 'Theme: dark. Change to as the system' }))
  expect(scheme()).toBe('light')

  unmount()
  expect(calls).toContain('stop')
})

test('the header tells the connection, and what the server left out', async () => {
  const { phase, deliver, calls } = await openAt('/')
  const state = screen.getByRole('status', { name: 'Connection' })
  expect(state).toHaveTextContent('Connecting')
  phase('live')
  expect(state).toHaveTextContent('Live')
  deliver({ heartbeat: Date.now(), dropped: 3, conflated: 12_345 })
  expect(screen.getByText('12,345')).toBeInTheDocument()
  await userEvent.keyboard('{Shift>}C{/Shift}')
  expect(calls).toContain('pause')
})

test('every screen has an address and a key, and a wrong address says so', async () => {
  const { router } = await openAt('/settings')
  expect(await screen.findByRole('heading', { name: 'Settings', level: 1 })).toBeInTheDocument()
  await userEvent.keyboard('{Shift>}M{/Shift}')
  expect(router.state.location.pathname).toBe('/')
  await router.navigate({ to: '/nowhere' as '/' })
  expect(await screen.findByText('There is no such screen')).toBeInTheDocument()
})

test('the help lists the keys, and the high rate is one of them', async () => {
  const { sent } = await openAt('/')
  await userEvent.keyboard('?')
  const help = await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })
  expect(within(help).getByText(/High-rate mode/)).toBeInTheDocument()
  await userEvent.keyboard('{Escape}')
  await userEvent.keyboard('{Shift>}H{/Shift}')
  expect(useSettings.getState().maxRate).toBeNull()
  expect(sent.at(-1)).toEqual({ unsubscribe: ['candles.1d.*'] })
})

test('the key for the theme changes what is seen, whatever the system wishes', async () => {
  await openAt('/')
  const seen = () => document.documentElement.dataset.mantineColorScheme
  const before = seen()
  await userEvent.keyboard('{Shift>}D{/Shift}')
  expect(seen()).not.toBe(before)
  await userEvent.keyboard('{Shift>}D{/Shift}')
  expect(seen()).toBe(before)
})

test('the palette says which key does the same', async () => {
  await openAt('/')
  await userEvent.keyboard('{Control>}k{/Control}')
  await screen.findByPlaceholderText('Symbol, screen or action')
  expect(await screen.findByRole('button', { name: /Alerts.*Shift\s*A/ })).toBeInTheDocument()
})

test('single keys can be turned off; Ctrl+K still works', async () => {
  const { router } = await openAt('/')
  useSettings.setState({ shortcuts: false })
  await userEvent.keyboard('{Shift>}S{/Shift}')
  expect(router.state.location.pathname).toBe('/')
  await userEvent.keyboard('{Control>}k{/Control}')
  expect(await screen.findByPlaceholderText('Symbol, screen or action')).toBeInTheDocument()
})
