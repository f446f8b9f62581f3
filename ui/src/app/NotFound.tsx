import { Link } from '@tanstack/react-router'
import { ScreenTitle } from '@/shared/ops/pieces'
import { Empty } from '@/shared/panel/Panel'

export function NotFound() {
  return (
    <>
      <ScreenTitle>Not found</ScreenTitle>
      <Empty title="There is no such screen">
        The address may be mistyped, or of another version. <Link to="/">Go to the market</Link>, or press
        Ctrl+K to find a symbol.
      </Empty>
    </>
  )
}
