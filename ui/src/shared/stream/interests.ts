/** How much of a subject is wanted: every message, or the newest whenever there is one. */
export interface Want {
  mode: 'all' | 'latest'
  /** of latest: at most so many messages a second and subject */
  maxRate?: number
}

/** What goes to the server to be sent a list of subjects. */
export interface SubscribeCommand {
  subscribe: string[]
  mode: Want['mode']
  maxRate?: number
}

interface Interest {
  wants: Want[]
  told: string
}

/**
 * What the page wants of the server, counted by reference: two panels that want
 * the same subject cost one subscription, and the one that wants more decides.
 */
export class Interests {
  private readonly byPattern = new Map<string, Interest>()

  /** Notes a want; the command is what the server has to be told, if anything. */
  add(pattern: string, want: Want): SubscribeCommand | null {
    const interest = this.byPattern.get(pattern) ?? { wants: [], told: '' }
    this.byPattern.set(pattern, interest)
    interest.wants.push(want)
    return this.change(pattern, interest)
  }

  /** Takes a want back; 'gone' is that nobody wants the pattern any more. */
  remove(pattern: string, want: Want): SubscribeCommand | 'gone' | null {
    const interest = this.byPattern.get(pattern)
    if (!interest) return null
    interest.wants.splice(interest.wants.indexOf(want), 1)
    if (interest.wants.length > 0) return this.change(pattern, interest)
    this.byPattern.delete(pattern)
    return 'gone'
  }

  get patterns(): string[] {
    return [...this.byPattern.keys()]
  }

  /** Whether some want takes in every message of a subject. */
  wantsAll(pattern: string): boolean {
    return this.byPattern.get(pattern)?.wants.some(({ mode }) => mode === 'all') ?? false
  }

  /** Everything, as few commands as there are ways to want: for a new connection. */
  commands(): SubscribeCommand[] {
    const grouped = new Map<string, SubscribeCommand>()
    for (const [pattern, interest] of this.byPattern) {
      const most = strongest(interest.wants)
      const key = JSON.stringify(most)
      interest.told = key
      const command = grouped.get(key) ?? { subscribe: [], ...most }
      command.subscribe.push(pattern)
      grouped.set(key, command)
    }
    return [...grouped.values()]
  }

  private change(pattern: string, interest: Interest): SubscribeCommand | null {
    const most = strongest(interest.wants)
    const key = JSON.stringify(most)
    if (key === interest.told) return null
    interest.told = key
    return { subscribe: [pattern], ...most }
  }
}

function strongest(wants: Want[]): Want {
  if (wants.some(({ mode }) => mode === 'all')) return { mode: 'all' }
  if (wants.some(({ maxRate }) => maxRate === undefined)) return { mode: 'latest' }
  return { mode: 'latest', maxRate: Math.max(...wants.map(({ maxRate }) => maxRate ?? 0)) }
}
