const WIDTH = 30

/** A bar on standard error, on a terminal alone. */
export function drawProgress(part: number, what: string): void {
  if (!process.stderr.isTTY) return
  const filled = Math.round(Math.min(1, part) * WIDTH)
  process.stderr.write(`\r\u001B[2K[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${what}`)
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[2K')
}
