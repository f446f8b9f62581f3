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
    <fieldset
      className={classes.helpers}
      style={{ border: 0, padding: 0, margin: 0, gap: 12 }}
      aria-label="How alerts are told"
    >
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
      <span className={classes.muted}>
        {permission === 'granted' && 'The system tells alerts while another page is in front.'}
        {permission === 'denied' && 'The browser was told not to show notifications of this page.'}
      </span>
    </fieldset>
  )
}
