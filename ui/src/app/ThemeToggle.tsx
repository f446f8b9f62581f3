import { ActionIcon, type MantineColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'

interface Choice {
  name: string
  next: MantineColorScheme
  Icon: typeof IconSun
}

const choices: Record<MantineColorScheme, Choice> = {
  auto: { name: 'as the system', next: 'light', Icon: IconDeviceDesktop },
  light: { name: 'light', next: 'dark', Icon: IconSun },
  dark: { name: 'dark', next: 'auto', Icon: IconMoon },
}

/** Goes round the three themes: as the system, light, dark. */
export function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const { name, next, Icon } = choices[colorScheme]
  const label = `Theme: ${name}. Change to ${choices[next].name}`
  return (
    <ActionIcon
      variant="default"
      size="md"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(next)}
    >
      <Icon size={16} aria-hidden />
    </ActionIcon>
  )
}
