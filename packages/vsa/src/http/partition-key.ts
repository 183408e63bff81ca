import { hash } from 'node:crypto'
import { serializeByteSequence } from 'structured-headers'

/** `hash`: the first 12 hexadecimal digits of the SHA-256 of the budget's id. `id`: the id. */
export type PartitionKey = 'hash' | 'id' | false

const HASH_DIGITS = 12

/** `pk` of a budget's key, as a byte sequence. */
export function partitionKeyText(key: string, of: 'hash' | 'id'): string {
  // A family's key is `name:id`.
  const id = key.slice(key.indexOf(':') + 1)
  return serializeByteSequence(Buffer.from(of === 'hash' ? hash('sha256', id, 'hex').slice(0, HASH_DIGITS) : id))
}
