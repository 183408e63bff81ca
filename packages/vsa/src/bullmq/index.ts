export { limitProcessor, type JobLimitOptions, type LimitedJob, type LimitedProcessor } from './limit-processor.ts'
