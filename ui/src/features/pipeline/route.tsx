export { PipelineScreen as Screen } from './PipelineScreen'
