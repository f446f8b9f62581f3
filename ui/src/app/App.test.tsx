import { QueryClient } from '@tanstack/react-query'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { answer, manualFeed } from '@/features/market/testing'
import { App } from './App'

test('the app starts its feed, stops it, and goes round the themes', async () => {
  const { feed, calls } = manualFeed(async () => ({ response: answer(), date: Date.now() }))
  const { unmount } = render(<App feed={feed} queryClient={new QueryClient()} />)
  expect(calls).toContain('start')
  expect(screen.getByRole('link', { name: 'API docs' })).toHaveAttribute('href', '/docs')
  expect(screen.getByRole('link', { name: 'Metrics' })).toHaveAttribute('href', '/metrics')

  const scheme = () => document.documentElement.getAttribute('data-mantine-color-scheme')
  await userEvent.click(screen.getByRole('button', { name: 'Theme: as the system. Change to light' }))
  await userEvent.click(screen.getByRole('button', { name: 'Theme: light. Change to dark' }))
  expect(scheme()).toBe('dark')
  await userEvent.click(screen.getByRole('button', { name: 'Theme: dark. Change to as the system' }))
  expect(scheme()).toBe('light')

  unmount()
  expect(calls).toContain('stop')
})
