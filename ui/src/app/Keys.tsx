import classes from './Help.module.css'

const names: Record<string, string> = {
  Mod: /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  ' ': 'Space',
}

/** The keys of a shortcut as they stand on the keyboard: "Shift+M" is two, "+" is one. */
export function Keys({ keys }: { keys: string }) {
  const all = keys === '+' ? [keys] : keys.split('+')
  return (
    <span className={classes.keys}>
      {all.map((key) => (
        <kbd key={key}>{names[key] ?? key}</kbd>
      ))}
    </span>
  )
}
