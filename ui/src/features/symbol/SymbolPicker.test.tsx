import { act, fireEvent, screen } from '@testing-library/react'
import { useState } from 'react'
import { expect, test, vi } from 'vitest'
import { answer, manualFeed, renderWith, stock } from '@/features/market/testing'
import { SymbolPicker } from './SymbolPicker'
import type { SymbolAddress } from './useSymbolAddress'
import { useSymbolKeys } from './useSymbolKeys'

const nothing = () => {}

function Screen({ open }: { open: (symbol: string) => void }) {
  const [typed, setTyped] = useState<string | null>(null)
  const address = { symbol: 'AAPL', open } as SymbolAddress
  useSymbolKeys({ address, chart: null, pause: nothing, reset: nothing, table: nothing, pick: setTyped })
  return typed && <SymbolPicker typed={typed} open={open} close={() => setTyped(null)} />
}

test('whoever types fast loses no letter: the field has the focus before the next key', async () => {
  const { feed, frame } = manualFeed(async () => ({ response: answer(), date: Date.now() }))
  const open = vi.fn()
  await renderWith(feed, <Screen open={open} />)
  const day = Math.floor(Date.now() / 86_400_000)
  act(() => feed.store.applyBaseline(answer(stock('AMZN'), stock('AMD')), day, feed.store.record()))
  frame()
  // Past act, which would wait for what is still under way.
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true, cancelable: true }))
  const field = screen.getByRole('textbox', { name: 'Symbol' })
  expect(field).toHaveFocus()
  expect(field).toHaveValue('A')
  fireEvent.change(field, { target: { value: 'amd' } })
  fireEvent.keyDown(field, { key: 'Enter' })
  expect(open).toHaveBeenCalledWith('AMD')
})
