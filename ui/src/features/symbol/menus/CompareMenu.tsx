import { MultiSelect } from '@mantine/core'
import { IconArrowsDiff } from '@tabler/icons-react'
import { useState } from 'react'
import { useSymbols } from '@/features/market'
import { MenuPopover } from './MenuPopover'

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
    <MenuPopover
      name="Compare"
      label={`Compare${compared.length > 0 ? ` (${compared.length})` : ''}`}
      icon={<IconArrowsDiff size={15} aria-hidden />}
      width={280}
      opened={opened}
      toggle={setOpened}
    >
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
    </MenuPopover>
  )
}
