import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { isTyping, listenToKeys, useShortcuts } from './shortcuts'

function Page({ pause, opened }: { pause: () => void; opened: () => void }) {
  useShortcuts([{ keys: ' ', label: 'Pause', group: 'Test', run: pause }])
  return (
    <>
      <button type="button" onClick={opened}>
        Open
      </button>
      <input aria-label="Text" />
      <input aria-label="One of many" type="radio" />
    </>
  )
}

test('Space belongs to what has the focus, and to the page else', async () => {
  const stop = listenToKeys(document)
  const [pause, opened] = [vi.fn(), vi.fn()]
  render(<Page pause={pause} opened={opened} />)
  await userEvent.keyboard(' ')
  expect(pause).toHaveBeenCalledTimes(1)
  screen.getByRole('button').focus()
  await userEvent.keyboard(' ')
  expect(opened).toHaveBeenCalledTimes(1)
  expect(pause).toHaveBeenCalledTimes(1)
  stop()
})

test('letters belong to a field, not to what is only switched', () => {
  render(<Page pause={() => {}} opened={() => {}} />)
  expect(isTyping(screen.getByLabelText('Text'))).toBe(true)
  expect(isTyping(screen.getByLabelText('One of many'))).toBe(false)
  expect(isTyping(screen.getByRole('button'))).toBe(false)
})
