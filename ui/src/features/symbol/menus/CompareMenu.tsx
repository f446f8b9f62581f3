import { Button, MultiSelect, Popover } from '@mantine/core'
import { IconArrowsDiff } from '@tabler/icons-react'
import { useState } from 'react'
import { useSymbols } from '@/features/market'

interface CompareMenuProps {
  symbol: string
  compared: readonly string[]
  change: (symbols: string[]) => void
}

/** Puts other symbols beside this one, in per cent. */
export function CompareMenu({ symbol, compared, change }: CompareMenuProps) {
  const symbols = useSymbols()
  const [opened, setOpened] = useState(false)
  const others = [...symbols].filter((one) => one !== symbol).sort()
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={280} trapFocus shadow="md">
      <Popover.Target>
        <Button
          size="compact-sm"
          fw={500}
          fz="xs"
          variant="default"
          leftSection={<IconArrowsDiff size={15} aria-hidden />}
          onClick={() => setOpened(!opened)}
          aria-haspopup="dialog"
          aria-expanded={opened}
        >
          Compare{compared.length > 0 && ` (${compared.length})`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" aria-label="Compare">
        <MultiSelect
          size="xs"
          data-autofocus
          label="Compare with, in per cent"
          placeholder="Symbol"
          searchable
          clearable
          maxValues={6}
          limit={50}
          data={others}
          value={[...compared]}
          onChange={change}
          comboboxProps={{ withinPortal: false }}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
