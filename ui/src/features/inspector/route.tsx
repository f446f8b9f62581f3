export { InspectorScreen as Screen } from './InspectorScreen'
