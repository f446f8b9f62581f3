import { Modal, TextInput, UnstyledButton } from '@mantine/core'
import { type KeyboardEvent, useCallback, useState } from 'react'
import { useSymbols } from '@/features/market'
import classes from './SymbolScreen.module.css'

interface SymbolPickerProps {
  /** the letter that opened it */
  typed: string
  open: (symbol: string) => void
  close: () => void
}

const most = 8

/** Typing on the symbol screen finds another symbol: letters, Enter. */
export function SymbolPicker({ typed, open, close }: SymbolPickerProps) {
  const symbols = useSymbols()
  const [text, setText] = useState(typed.toUpperCase())
  const [at, setAt] = useState(0)
  // At once: a trap of the focus waits for a moment, in which the next letter would be lost.
  const focus = useCallback((field: HTMLInputElement | null) => field?.focus(), [])
  const wanted = text.trim().toUpperCase()
  const found = [...symbols]
    .filter((symbol) => symbol.toUpperCase().includes(wanted))
    .sort((a, b) => Number(b.startsWith(wanted)) - Number(a.startsWith(wanted)) || a.localeCompare(b))
    .slice(0, most)
  const choose = (symbol: string | undefined) => {
    if (!symbol) return
    open(symbol)
    close()
  }
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter') choose(found[at])
    else if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1))
    else return
    event.preventDefault()
  }
  return (
    <Modal opened onClose={close} title="Change the symbol" size="xs" yOffset="12vh">
      <TextInput
        ref={focus}
        data-autofocus
        aria-label="Symbol"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value.toUpperCase())
          setAt(0)
        }}
        onKeyDown={keys}
      />
      <ul className={classes.found}>
        {found.map((symbol, place) => (
          <li key={symbol}>
            <UnstyledButton
              className={classes.foundSymbol ?? ''}
              data-active={place === at || undefined}
              onClick={() => choose(symbol)}
            >
              {symbol}
            </UnstyledButton>
          </li>
        ))}
        {found.length === 0 && <li className={classes.small}>No symbol contains “{wanted}”.</li>}
      </ul>
    </Modal>
  )
}
