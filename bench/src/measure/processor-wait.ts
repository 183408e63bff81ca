import { readFileSync } from 'node:fs'

const SCHEDULE = '/proc/thread-self/schedstat'

/** How long this thread has waited for a processor that another program had, in ms; 0 where the system does not tell (it is Linux that does). */
export function processorWaitMs(): number {
  try {
    return Number(readFileSync(SCHEDULE, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}
