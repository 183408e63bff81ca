export { manualClock, type ManualClock, type ManualClockOptions } from './manual-clock.ts'
