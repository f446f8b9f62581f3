import { type CSSVariablesResolver, createTheme } from '@mantine/core'

export const theme = createTheme({
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  primaryColor: 'blue',
  // Shade 8 is the lightest whose white label is legible (4.5:1).
  primaryShade: 8,
  respectReducedMotion: true,
  components: {
    SegmentedControl: { defaultProps: { withItemsBorders: false } },
    Modal: { styles: { content: { border: '1px solid var(--sf-line)' } } },
  },
  colors: {
    // Mantine's greys, towards the blue of the page.
    dark: [
      '#d6dae2',
      '#b4bac6',
      '#949dac',
      '#6b7485',
      '#3a4254',
      '#262c3a',
      '#1c2230',
      '#131722',
      '#0d1017',
      '#090b10',
    ],
  },
})

/**
 * The colours of both themes. Each text colour keeps 4.5:1 on each surface that
 * it stands on, the tints of a flash included.
 */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f4f5f7',
    '--mantine-color-text': '#131722',
    '--mantine-color-dimmed': '#565d6b',
    '--mantine-color-anchor': '#1657b0',
    '--mantine-color-placeholder': '#5f6674',
    '--sf-surface': '#ffffff',
    '--sf-raised': '#eef0f4',
    '--sf-line': '#dfe2e8',
    '--sf-muted': '#565d6b',
    '--sf-focus': '#1657b0',
    '--sf-up': '#00695c',
    '--sf-down': '#b71c2e',
    '--sf-up-tint': '#cdeee5',
    '--sf-down-tint': '#fbd9dc',
    '--sf-warn': '#a86200',
    '--sf-warn-surface': '#fff6e0',
    '--sf-warn-line': '#e6c987',
    '--sf-warn-text': '#8a5000',
    '--sf-series-1': '#1657b0',
    '--sf-series-2': '#b45309',
    '--sf-series-3': '#7c3aed',
    '--sf-series-4': '#0e7490',
    '--sf-series-5': '#be185d',
    '--sf-series-6': '#4d7c0f',
  },
  dark: {
    '--mantine-color-body': '#0d1017',
    '--mantine-color-text': '#d6dae2',
    '--mantine-color-dimmed': '#949dac',
    '--mantine-color-anchor': '#7eb2ff',
    '--mantine-color-placeholder': '#949dac',
    '--sf-surface': '#131722',
    '--sf-raised': '#1c2230',
    '--sf-line': '#262c3a',
    '--sf-muted': '#949dac',
    '--sf-focus': '#7eb2ff',
    '--sf-up': '#2ec4a0',
    '--sf-down': '#ff7380',
    '--sf-up-tint': '#12403a',
    '--sf-down-tint': '#4d2029',
    '--sf-warn': '#f0b429',
    '--sf-warn-surface': '#2b2413',
    '--sf-warn-line': '#5c4a1c',
    '--sf-warn-text': '#f0b429',
    '--sf-series-1': '#5b9cff',
    '--sf-series-2': '#f5a544',
    '--sf-series-3': '#b794f6',
    '--sf-series-4': '#4fd1e0',
    '--sf-series-5': '#f687b3',
    '--sf-series-6': '#a3d65c',
  },
})
