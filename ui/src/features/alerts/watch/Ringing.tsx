import { Button, Switch } from '@mantine/core'
import { useState } from 'react'
import { changeSettings, useSettings } from '@/shared/settings/settings'
import classes from '../alerts.module.css'
import { notificationPermission, ring } from './ring'

/** Whether an alert may be heard, and told by the system. */
export function Ringing() {
  const sound = useSettings((settings) => settings.sound)
  const [permission, setPermission] = useState(notificationPermission)
  return (
    <fieldset className={classes.ringing} aria-label="How alerts are told">
      <Switch
        size="xs"
        label="Sound"
        checked={sound}
        onChange={(event) => {
          changeSettings({ sound: event.currentTarget.checked })
          if (event.currentTarget.checked) ring(false)
        }}
      />
      {permission === 'default' && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => void Notification.requestPermission().then(setPermission)}
        >
          Allow notifications
        </Button>
      )}
      {permission === 'granted' && (
        <span className={classes.muted} title="The system tells alerts while another page is in front.">
          Notifications on
        </span>
      )}
      {permission === 'denied' && (
        <span
          className={classes.muted}
          title="The browser was told not to show notifications of this page: its settings can allow them."
        >
          Notifications blocked
        </span>
      )}
    </fieldset>
  )
}
