import { Modal } from '@mantine/core'
import { useSettings } from '@/shared/settings/settings'
import { useShortcutRegistry } from '@/shared/shortcuts/shortcuts'
import classes from './Help.module.css'
import { Keys } from './Keys'

/** The keys that do something now, by what they are for. */
export function Help({ close }: { close: () => void }) {
  const shortcuts = useShortcutRegistry((registry) => registry.shortcuts)
  const enabled = useSettings((settings) => settings.shortcuts)
  const groups = [...new Set(shortcuts.map(({ group }) => group))]
  return (
    <Modal opened onClose={close} title="Keyboard shortcuts" size="lg">
      {!enabled && <p>Single keys are off: the settings turn them on again.</p>}
      <div className={classes.groups}>
        {groups.map((group) => (
          <section key={group} aria-label={group}>
            <h3 className={classes.title}>{group}</h3>
            <dl className={classes.list}>
              {shortcuts
                .filter((shortcut) => shortcut.group === group)
                .map(({ keys, label }) => (
                  <div key={keys} className={classes.row}>
                    <dt>
                      <Keys keys={keys} />
                    </dt>
                    <dd>{label}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}
