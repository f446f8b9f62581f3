import { Button, Popover } from '@mantine/core'
import type { ReactNode } from 'react'

interface MenuPopoverProps {
  /** what the button says, and what the dialog is called */
  label: ReactNode
  name: string
  icon: ReactNode
  width: number
  opened: boolean
  toggle: (open: boolean) => void
  children: ReactNode
}

/** A button of the toolbar that opens a small dialog below it, and gets the focus back. */
export function MenuPopover({ label, name, icon, width, opened, toggle, children }: MenuPopoverProps) {
  return (
    <Popover opened={opened} onChange={toggle} position="bottom-start" width={width} trapFocus shadow="md">
      <Popover.Target>
        <Button
          size="compact-sm"
          fw={500}
          fz="xs"
          variant="default"
          leftSection={icon}
          onClick={() => toggle(!opened)}
          aria-haspopup="dialog"
          aria-expanded={opened}
        >
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" aria-label={name}>
        {children}
      </Popover.Dropdown>
    </Popover>
  )
}
