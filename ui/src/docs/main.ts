import script from '../../node_modules/.cache/scalar/standalone-1.72.1.js?url'
import './docs.css'

interface Scalar {
  createApiReference(selector: string, configuration: Record<string, unknown>): void
}

/** Opens the explorer. It loads from this server alone, and tells nobody of what it sends. */
function open(): void {
  const { Scalar } = window as unknown as { Scalar: Scalar }
  Scalar.createApiReference('#docs', {
    url: '/openapi.json',
    baseServerURL: window.location.origin,
    withDefaultFonts: false,
    telemetry: false,
    proxyUrl: '',
    hideClientButton: true,
    showDeveloperTools: 'never',
    agent: { disabled: true },
    mcp: { disabled: true },
    theme: 'default',
    operationTitleSource: 'summary',
    // A key typed here is kept for as long as the page is open, and no longer.
    persistAuth: false,
    authentication: { preferredSecurityScheme: 'key' },
  })
}

const element = document.createElement('script')
element.src = script
element.onload = open
element.onerror = () => {
  const note = document.createElement('p')
  const link = document.createElement('a')
  link.href = '/docs/plain'
  link.textContent = 'the plain page'
  note.append('The explorer could not be loaded: try again, or take ', link, '.')
  document.querySelector('#docs')?.replaceChildren(note)
}
document.head.append(element)
