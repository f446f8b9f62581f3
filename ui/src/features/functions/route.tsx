export { FunctionsScreen as Screen } from './FunctionsScreen'
