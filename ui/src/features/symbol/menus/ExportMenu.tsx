import { ActionIcon, Menu } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'

interface ExportMenuProps {
  picture: () => void
  /** address of the candles that are in sight */
  data: (format: 'csv' | 'ndjson') => string
}

/** Hands out the picture, and the candles in sight as the server has them. */
export function ExportMenu({ picture, data }: ExportMenuProps) {
  const fetch = (format: 'csv' | 'ndjson') => {
    const link = document.createElement('a')
    link.href = data(format)
    link.download = ''
    link.click()
  }
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size={26} aria-label="Export" title="Export">
          <IconDownload size={15} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={picture}>Picture (PNG)</Menu.Item>
        <Menu.Item onClick={() => fetch('csv')}>Candles in sight (CSV)</Menu.Item>
        <Menu.Item onClick={() => fetch('ndjson')}>Candles in sight (NDJSON)</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
