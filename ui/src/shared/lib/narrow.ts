import { useMediaQuery } from '@mantine/hooks'

/** Whether the page is as narrow as a phone, where the style sheets draw their line too. */
export function useNarrow(): boolean {
  return useMediaQuery('(max-width: 700px)', undefined, { getInitialValueInEffect: false })
}
