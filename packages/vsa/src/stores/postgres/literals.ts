import { invariant } from '../../core/errors.ts'

/* A message of several statements has no parameters, so values are written into it. Only these functions write them. */

/** A text, whatever `standard_conforming_strings` is. Without NUL, which Postgres refuses: see `encodeText`. */
export function textLiteral(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
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

export function textArray(values: readonly string[]): string {
  const elements = values.map((value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
  return `${textLiteral(`{${elements.join(',')}}`)}::text[]`
}

/** Null stands for NULL. @throws InvariantError for a number that is not a safe integer */
export function integerArray(values: readonly (number | null)[]): string {
  return `'{${values.map((value) => (value === null ? 'NULL' : integerLiteral(value))).join(',')}}'::bigint[]`
}
