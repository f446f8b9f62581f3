// Sets the theme before the first paint, so that no reader in the dark gets a
// white flash. A file of its own, because the page's policy has no inline scripts.
;(() => {
  let scheme = 'auto'
  try {
    scheme = localStorage.getItem('mantine-color-scheme-value') ?? scheme
  } catch {
    // Storage is off: follow the system.
  }
  if (scheme !== 'dark' && scheme !== 'light') {
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme)
})()
