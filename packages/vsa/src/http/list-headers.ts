import { serializeInteger, serializeString } from 'structured-headers'
import type { HeadersWriter } from './header.ts'
import { type PartitionKey, partitionKeyText } from './partition-key.ts'
import type { PolicyFigures } from './policy-figures.ts'

/** Items of policies that are kept, so that a client's next request writes nothing anew. */
const KEPT_MAX = 4_096
/** The largest integer of a structured field. A larger limit is written as this. */
const INTEGER_MAX = 999_999_999_999_999

/**
 * `RateLimit` and `RateLimit-Policy` as lists of draft-ietf-httpapi-ratelimit-headers 8 to 11, one item for each budget.
 * @param separator between the parts: both are the same to a reader. express-rate-limit writes a space
 */
export function listHeaders(partitionKey: PartitionKey, separator: ';' | '; '): HeadersWriter {
  const items = new ListItems(partitionKey, separator)
  return (shown) => [
    { name: 'RateLimit', value: joined(shown, (figures) => items.limit(figures)), isList: true },
    { name: 'RateLimit-Policy', value: joined(shown, (figures) => items.policy(figures)), isList: true },
  ]
}

function joined(shown: readonly PolicyFigures[], itemOf: (figures: PolicyFigures) => string): string {
  const [only] = shown
  return only !== undefined && shown.length === 1 ? itemOf(only) : shown.map(itemOf).join(', ')
}

class ListItems {
  readonly #partitionKey: PartitionKey
  readonly #separator: string
  /** Names and units as they are written: they are few. */
  readonly #strings = new Map<string, string>()
  /** By the key of the budget. */
  readonly #kept = new Map<string, { readonly figures: PolicyFigures; readonly text: string }>()

  constructor(partitionKey: PartitionKey, separator: string) {
    this.#partitionKey = partitionKey
    this.#separator = separator
  }

  limit({ name, remaining, resetSeconds }: PolicyFigures): string {
    return this.#string(name) + this.#number('r', remaining) + this.#number('t', resetSeconds)
  }

  policy(figures: PolicyFigures): string {
    const kept = this.#kept.get(figures.key)
    if (kept !== undefined && isSamePolicy(kept.figures, figures)) return kept.text
    const text = this.#policy(figures)
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(figures.key, { figures, text })
    return text
  }

  #policy({ name, limit, windowSeconds, unit, key }: PolicyFigures): string {
    const quota = this.#string(name) + this.#number('q', limit) + this.#number('w', windowSeconds)
    const counted = unit === undefined ? '' : `${this.#separator}qu=${this.#string(unit)}`
    if (this.#partitionKey === false) return quota + counted
    return `${quota}${counted}${this.#separator}pk=${partitionKeyText(key, this.#partitionKey)}`
  }

  #number(parameter: string, value: number | undefined): string {
    return value === undefined ? '' : `${this.#separator}${parameter}=${serializeInteger(Math.min(value, INTEGER_MAX))}`
  }

  #string(text: string): string {
    const known = this.#strings.get(text)
    if (known !== undefined) return known
    const written = serializeString(text)
    this.#strings.set(text, written)
    return written
  }
}

function isSamePolicy(one: PolicyFigures, other: PolicyFigures): boolean {
  return one.name === other.name && one.limit === other.limit && one.windowSeconds === other.windowSeconds
}
