import { SingleBar } from 'cli-progress'
import type { Progress } from './run-plan.ts'

/** On a terminal; in a pipe it shows nothing. */
export function progressBar(): Progress & { stop(): void } {
  if (!process.stderr.isTTY) return { start: () => undefined, done: () => undefined, stop: () => undefined }
  const format = '[{bar}] {percentage} %, {duration_formatted}, {text}'
  const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true })
  return {
    start: (steps) => bar.start(steps, 0, { text: 'starting' }),
    done: (text) => bar.increment(1, { text }),
    stop: () => bar.stop(),
  }
}
