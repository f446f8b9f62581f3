/** Whether a subject is one of a pattern, as NATS has it: * is one token, > all that are left. */
export function matches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  for (const [at, token] of wanted.entries()) {
    if (token === '>') return tokens.length > at
    if (at >= tokens.length || (token !== '*' && token !== tokens[at])) return false
  }
  return wanted.length === tokens.length
}

/**
 * A text as one token of a subject: letters, digits, "-" and "_" stay, every
 * other byte becomes %XX, so that BRK.B is BRK%2EB.
 */
export function token(text: string): string {
  if (/^[\w-]*$/.test(text)) return text
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return byte < 128 && /[\w-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}
