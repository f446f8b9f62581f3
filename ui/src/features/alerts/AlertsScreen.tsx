import { useAddress } from '@/shared/ops/address'
import { ConnectionNotice } from '@/shared/ops/ConnectionNotice'
import { ScreenTitle } from '@/shared/ops/pieces'
import classes from './alerts.module.css'
import { Fired } from './fired/Fired'
import { Rules } from './rules/Rules'

/** What was raised, and by which rules. */
export function AlertsScreen() {
  const [{ symbol }] = useAddress()
  return (
    <div className={classes.screen}>
      <ScreenTitle>Alerts</ScreenTitle>
      <ConnectionNotice what="alerts" />
      <div className={classes.columns}>
        <Fired />
        <Rules symbol={symbol} />
      </div>
    </div>
  )
}
