/** What was warned of in this process: each once, however many stores are opened. */
const warned = new Set<string>()
const WARNED_MAX = 1_000

/** Writes to the console what an operator must know of a server. */
export function warnOnce(warning: string): void {
  if (warned.has(warning)) return
  if (warned.size < WARNED_MAX) warned.add(warning)
  console.warn(warning)
}
