const DRAW_EVERY_MS = 100
const WIDTH = 30

/** A progress line on standard error. Drawn only on a terminal, and erased at the end. */
export interface LiveLine {
  /** Replaces the line, at most ten times a second. */
  show(text: () => string): void
  /** Erases the line. */
  done(): void
}

/** Draws nothing when it is not wanted, or standard error is not a terminal. */
export function liveLine(isWanted: boolean): LiveLine {
  if (!isWanted || !process.stderr.isTTY) return { show: () => undefined, done: () => undefined }
  let drawnAt = Number.NEGATIVE_INFINITY
  return {
    show: (text) => {
      const now = performance.now()
      if (now - drawnAt < DRAW_EVERY_MS) return
      drawnAt = now
      process.stderr.write(`\r\u001B[2K${text().slice(0, (process.stderr.columns || 80) - 1)}`)
    },
    done: () => {
      process.stderr.write('\r\u001B[2K')
    },
  }
}

/** A progress bar for a `fraction` from 0 to 1, such as `[######------] 50 %`. */
export function bar(fraction: number): string {
  const part = Math.min(1, Math.max(0, fraction))
  const filled = Math.round(part * WIDTH)
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${String(Math.floor(part * 100)).padStart(3)} %`
}
