export { EventsScreen as Screen } from './EventsScreen'
