import { isKey } from '../../core/key.ts'
import type { LoggedRequest } from './logged.ts'

/** Which field of a log line names the budget. */
export interface KeyField {
  /** As `--key` was given. */
  readonly spelling: string
  readonly field: string
  /** The family of the budgets, whose keys are `family:value`. */
  readonly family: string
}

const SHORT: readonly string[] = ['ip', 'path', 'user']

/** Parses `--key`: `ip`, `path`, `user`, `key` or `field:NAME`. @throws RangeError for anything else */
export function parseKeyField(spelling: string): KeyField {
  const field = spelling.startsWith('field:')
    ? spelling.slice('field:'.length)
    : [...SHORT, 'key'].find((name) => name === spelling)
  if (field === undefined || field === '') {
    throw new RangeError(`expected ip, path, user or field:NAME, got ${JSON.stringify(spelling)}`)
  }
  return { spelling, field, family: field.replaceAll(':', '_') }
}

/** The value that names the budget of the request; null when the field is missing or cannot be a key. */
export function keyOf(request: LoggedRequest, { field, family }: KeyField): string | null {
  const value = Object.hasOwn(request.fields, field) ? request.fields[field] : undefined
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null
  const id = String(value)
  return id !== '' && isKey(`${family}:${id}`) ? id : null
}
