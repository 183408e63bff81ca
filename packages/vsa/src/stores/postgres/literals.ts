import { invariant } from '../../core/errors.ts'

/* A message of several statements has no parameters, so values are written into it. Only these functions write them. */

/**
 * A text, whatever `standard_conforming_strings` is. All of it is ASCII, so that no encoding of the connection can take a quote for a part of a
 * character. Without NUL, which Postgres refuses: see `encodeText`. A lone surrogate becomes U+FFFD, as in UTF-8.
 */
export function textLiteral(text: string): string {
  const escaped = text.toWellFormed().replaceAll('\\', '\\\\').replaceAll("'", "''")
  return `E'${escaped.replaceAll(/[^\0-\x7f]/g, unicodeEscapes)}'`
}

/** Of one character, which is two code units beyond U+FFFF. */
function unicodeEscapes(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}

/** A name of a schema, a table or a column. */
export function nameLiteral(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** @throws InvariantError for a number that is not a safe integer */
export function integerLiteral(value: number): string {
  invariant(Number.isSafeInteger(value), `a number in a statement must be a safe integer, got ${value}`)
  return String(value)
}

/** Null stands for NULL. */
export function textArray(values: readonly (string | null)[]): string {
  const elements = values.map((value) =>
    value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  )
  return `${textLiteral(`{${elements.join(',')}}`)}::text[]`
}

/** Null stands for NULL. @throws InvariantError for a number that is not a safe integer */
export function integerArray(values: readonly (number | null)[], type: 'bigint' | 'int' = 'bigint'): string {
  return `'{${values.map((value) => (value === null ? 'NULL' : integerLiteral(value))).join(',')}}'::${type}[]`
}

export function booleanArray(values: readonly boolean[]): string {
  return `'{${values.join(',')}}'::boolean[]`
}
