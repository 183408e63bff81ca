import { serializeInteger, serializeString } from 'structured-headers'
import type { Header, HeadersWriter } from './header.ts'
import { type PartitionKey, partitionKeyText } from './partition-key.ts'
import type { PolicyFigures } from './policy-figures.ts'

/** Budgets of which what is written is kept, so that a client's next request writes two numbers anew. */
const KEPT_MAX = 4_096
/** The largest integer of a structured field. A larger limit is written as this. */
const INTEGER_MAX = 999_999_999_999_999

/**
 * `RateLimit` and `RateLimit-Policy` as lists of draft-ietf-httpapi-ratelimit-headers 8 to 11, one item for each budget.
 * @param separator between the parts: both are the same to a reader. express-rate-limit writes a space
 */
export function listHeaders(partitionKey: PartitionKey, separator: ';' | '; '): HeadersWriter {
  const items = new ListItems(partitionKey, separator)
  return (shown) => {
    const [only, second] = shown
    if (only !== undefined && second === undefined) return [limitHeader(items.limit(only)), items.policy(only)]
    const policies = shown.map((figures) => items.policy(figures).value)
    return [limitHeader(shown.map((figures) => items.limit(figures)).join(', ')), policyHeader(policies.join(', '))]
  }
}

function limitHeader(value: string): Header {
  return { name: 'RateLimit', value, isList: true }
}

function policyHeader(value: string): Header {
  return { name: 'RateLimit-Policy', value, isList: true }
}

/** What is written of a budget as long as its policy is the same. */
interface Kept {
  readonly name: string
  readonly limit: number
  readonly windowSeconds: number | undefined
  readonly policy: Header
  /** Of `RateLimit`: what stands before `remaining`, and behind it. */
  readonly before: string
  resetSeconds: number | undefined
  behind: string
}

class ListItems {
  readonly #partitionKey: PartitionKey
  readonly #separator: string
  /** By the key of the budget. */
  readonly #kept = new Map<string, Kept>()

  constructor(partitionKey: PartitionKey, separator: string) {
    this.#partitionKey = partitionKey
    this.#separator = separator
  }

  limit(figures: PolicyFigures): string {
    const { remaining, resetSeconds } = figures
    const kept = this.#of(figures)
    if (kept.resetSeconds !== resetSeconds) {
      kept.resetSeconds = resetSeconds
      kept.behind = this.#number('t', resetSeconds)
    }
    return kept.before + (remaining < INTEGER_MAX ? remaining : INTEGER_MAX) + kept.behind
  }

  policy(figures: PolicyFigures): Header {
    return this.#of(figures).policy
  }

  #of(figures: PolicyFigures): Kept {
    const kept = this.#kept.get(figures.key)
    return kept !== undefined && isSamePolicy(kept, figures) ? kept : this.#keep(figures)
  }

  #keep(figures: PolicyFigures): Kept {
    const { key, name, limit, windowSeconds, resetSeconds } = figures
    const policy = policyHeader(this.#policy(figures))
    const before = `${serializeString(name)}${this.#separator}r=`
    const behind = this.#number('t', resetSeconds)
    const kept: Kept = { name, limit, windowSeconds, policy, before, resetSeconds, behind }
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(key, kept)
    return kept
  }

  #policy({ name, limit, windowSeconds, unit, key }: PolicyFigures): string {
    const quota = serializeString(name) + this.#number('q', limit) + this.#number('w', windowSeconds)
    const counted = unit === undefined ? '' : `${this.#separator}qu=${serializeString(unit)}`
    if (this.#partitionKey === false) return quota + counted
    return `${quota}${counted}${this.#separator}pk=${partitionKeyText(key, this.#partitionKey)}`
  }

  #number(parameter: string, value: number | undefined): string {
    return value === undefined ? '' : `${this.#separator}${parameter}=${serializeInteger(Math.min(value, INTEGER_MAX))}`
  }
}

function isSamePolicy(kept: Kept, { name, limit, windowSeconds }: PolicyFigures): boolean {
  return kept.name === name && kept.limit === limit && kept.windowSeconds === windowSeconds
}
