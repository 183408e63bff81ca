import { SingleBar } from 'cli-progress'
import type { Part } from './part.ts'

const REDRAW_INTERVAL_MS = 500

/** The progress of the proof on a terminal; in a pipe only the lines that are printed. */
export interface ProgressBar {
  start(part: Part): void
  /** Prints a line that stays, above the bar. */
  print(text: string): void
  stop(): void
}

/** The bar follows the expected times of the parts. */
export function progressBar(parts: readonly Part[]): ProgressBar {
  if (!process.stderr.isTTY)
    return { start: () => undefined, print: (text) => console.log(text), stop: () => undefined }
  const bar = new SingleBar({ format: '[{bar}] {part}, {seconds} s', clearOnComplete: true, hideCursor: true })
  let current: Part | undefined
  let startedAtMs = 0
  let finishedSeconds = 0
  const redraw = (): void => {
    if (current === undefined) return
    const seconds = (performance.now() - startedAtMs) / 1_000
    const payload = { part: current.name, seconds: Math.round(seconds) }
    bar.update(finishedSeconds + Math.min(seconds, current.expectedSeconds), payload)
  }
  const timer = setInterval(redraw, REDRAW_INTERVAL_MS)
  bar.start(sumSeconds(parts), 0, { part: 'starting', seconds: 0 })
  return {
    start: (part) => {
      finishedSeconds += current?.expectedSeconds ?? 0
      current = part
      startedAtMs = performance.now()
      redraw()
    },
    print: (text) => {
      process.stderr.write('\r\u001B[2K')
      console.log(text)
      redraw()
    },
    stop: () => {
      clearInterval(timer)
      bar.stop()
    },
  }
}

function sumSeconds(parts: readonly Part[]): number {
  return parts.reduce((sum, { expectedSeconds }) => sum + expectedSeconds, 0)
}
