export function Screen() {
  return <h1>Events</h1>
}
