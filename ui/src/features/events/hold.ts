import { useEffect, useState } from 'react'
import type { EventFilter, StreamEvent } from './data'

/** The list as it stood when it was held, with what was read of the past since; and how many came meanwhile. */
export function useHold(events: readonly StreamEvent[]) {
  const [newest, setNewest] = useState<number | null>(null)
  const held = newest !== null
  const shown = held ? events.filter(({ sequence }) => sequence <= newest) : events
  const hold = () => setNewest((before) => before ?? events[0]?.sequence ?? null)
  return {
    held,
    events: shown,
    more: events.length - shown.length,
    hold,
    toggle: () => (held ? setNewest(null) : hold()),
  }
}

/** The topics and types that were seen, and those that are filtered by: what a list of choices offers. */
export function useKnown(events: readonly StreamEvent[], { topic, type }: EventFilter) {
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    const news = events.map(({ topic, type }) => `${topic} ${type}`).filter((name) => !seen.has(name))
    if (news.length > 0) setSeen(new Set([...seen, ...news]))
  }, [events, seen])
  const pairs = [...seen].map((name) => name.split(' '))
  const all = (names: (string | undefined)[]) =>
    [...new Set(names.filter((name) => name !== undefined))].sort()
  return {
    topics: all([topic, ...pairs.map(([name]) => name)]),
    types: all([type, ...pairs.filter(([of]) => !topic || of === topic).map(([, name]) => name)]),
  }
}
