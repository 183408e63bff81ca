import { hash } from 'node:crypto'
import { serializeByteSequence } from 'structured-headers'

/** `hash`: the first 12 hexadecimal digits of the SHA-256 of the budget's id. `id`: the id. */
export type PartitionKey = 'hash' | 'id' | false

/** Texts that are kept, so that a client's next request hashes nothing. */
const KEPT_MAX = 4_096
const HASH_DIGITS = 12

/** Writes `pk` of a budget's key, as a byte sequence. */
export class PartitionKeys {
  readonly #of: 'hash' | 'id'
  readonly #kept = new Map<string, string>()

  constructor(of: 'hash' | 'id') {
    this.#of = of
  }

  textOf(key: string): string {
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    // A family's key is `name:id`.
    const id = key.slice(key.indexOf(':') + 1)
    const bytes = this.#of === 'hash' ? hash('sha256', id, 'hex').slice(0, HASH_DIGITS) : id
    const text = serializeByteSequence(Buffer.from(bytes))
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(key, text)
    return text
  }
}
