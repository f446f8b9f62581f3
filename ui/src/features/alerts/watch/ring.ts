/** A short tone of two notes, made here: no file is fetched. Silent where the browser does not let it sound yet. */
export function ring(critical: boolean): void {
  if (typeof AudioContext === 'undefined') return
  const context = new AudioContext()
  const notes = critical ? [880, 660, 880] : [660, 880]
  notes.forEach((frequency, at) => {
    const start = context.currentTime + at * 0.14
    const tone = context.createOscillator()
    const volume = context.createGain()
    tone.frequency.value = frequency
    // It swells and fades: a tone that is cut off clicks.
    volume.gain.setValueAtTime(0, start)
    volume.gain.linearRampToValueAtTime(0.12, start + 0.02)
    volume.gain.linearRampToValueAtTime(0, start + 0.13)
    tone.connect(volume).connect(context.destination)
    tone.start(start)
    tone.stop(start + 0.14)
  })
  setTimeout(() => void context.close(), 1000)
}

export type Permission = NotificationPermission | 'unsupported'

export function notificationPermission(): Permission {
  return typeof Notification === 'undefined' ? 'unsupported' : Notification.permission
}

/** Tells the system, for who looks at something else. */
export function notify(title: string, body: string, tag: string): void {
  if (notificationPermission() !== 'granted' || document.visibilityState === 'visible') return
  const shown = new Notification(title, { body, tag })
  shown.onclick = () => {
    window.focus()
    shown.close()
  }
}
