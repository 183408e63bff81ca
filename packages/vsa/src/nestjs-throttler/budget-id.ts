import { createHash } from 'node:crypto'

/** Longer keys are hashed, so that they fit into a key of VSA with the rest. Those of the guard are hashes of 64 characters. */
const LENGTH_MAX = 256

/** One budget for each throttler, length of window and key. A custom key may be of any length, or not well formed: those are hashed, code unit by code unit. */
export function budgetId(throttlerName: string, ttl: number, key: string): string {
  return `${part(throttlerName)}:${ttl}:${part(key)}`
}

function part(text: string): string {
  if (text.length <= LENGTH_MAX && text.isWellFormed()) return text
  return `sha256-${createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex')}`
}
