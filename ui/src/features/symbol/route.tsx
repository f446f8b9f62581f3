export { SymbolScreen as Screen } from './SymbolScreen'
