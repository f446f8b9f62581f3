import { createContext, useCallback, useContext, useEffect, useRef, useSyncExternalStore } from 'react'
import { Frames } from './frames'
import type { StreamHub, StreamStatus } from './hub'
import type { Want } from './interests'
import type { DataMessage } from './messages'

const StreamContext = createContext<StreamHub | null>(null)

export const StreamProvider = StreamContext.Provider

export function useStream(): StreamHub {
  const hub = useContext(StreamContext)
  if (!hub) throw new Error('useStream: no StreamProvider is above this component')
  return hub
}

/** Renders once a second and when the connection changes. */
export function useStreamStatus(): StreamStatus {
  const hub = useStream()
  return useSyncExternalStore(hub.onStatus, hub.getStatus)
}

export interface SubjectOptions extends Partial<Want> {
  /** false leaves the subject alone; true if not given */
  enabled?: boolean
}

/**
 * Calls back with the messages of a subject or pattern, at most once a frame
 * with all that came. It renders nothing: write to refs or to a store.
 */
export function useSubject<T = unknown>(
  pattern: string,
  onMessages: (messages: DataMessage<T>[]) => void,
  { mode = 'all', maxRate, enabled = true }: SubjectOptions = {},
): void {
  const hub = useStream()
  const callback = useRef(onMessages)
  useEffect(() => {
    callback.current = onMessages
  })
  useEffect(() => {
    if (!enabled) return
    let waiting: DataMessage<T>[] = []
    let stopped = false
    const frames = new Frames<string>(() => {
      const messages = waiting
      waiting = []
      if (!stopped) callback.current(messages)
    })
    const leave = hub.subscribe(
      pattern,
      (message) => {
        waiting.push(message as DataMessage<T>)
        frames.touch(pattern)
      },
      maxRate === undefined ? { mode } : { mode: 'latest', maxRate },
    )
    return () => {
      stopped = true
      leave()
    }
  }, [hub, pattern, mode, maxRate, enabled])
}

/**
 * The newest message of one subject, for what changes seldom (once a second):
 * every change renders. For hot cells use useHot.
 */
export function useLatest<T = unknown>(subject: string, maxRate = 4): DataMessage<T> | undefined {
  const hub = useStream()
  const subscribe = useCallback(
    (changed: () => void) => {
      const frames = new Frames<string>(changed)
      return hub.subscribe(subject, () => frames.touch(subject), { mode: 'latest', maxRate })
    },
    [hub, subject, maxRate],
  )
  return useSyncExternalStore(subscribe, () => hub.latest(subject)) as DataMessage<T> | undefined
}

/**
 * A ref for an element that shows the newest of a subject: paint writes it, at
 * most once a frame and past React.
 */
export function useHot<E extends HTMLElement, T = unknown>(
  subject: string,
  paint: (element: E, message: DataMessage<T>) => void,
  maxRate?: number,
) {
  const element = useRef<E>(null)
  useSubject<T>(
    subject,
    (messages) => {
      const newest = messages.at(-1)
      if (newest && element.current) paint(element.current, newest)
    },
    maxRate === undefined ? { mode: 'latest' } : { mode: 'latest', maxRate },
  )
  return element
}
