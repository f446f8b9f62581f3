export { AlertsScreen as Screen } from './AlertsScreen'
