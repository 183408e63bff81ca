import { isUtf8 } from 'node:buffer'
import { invariant } from '../../core/errors.ts'
import type { StatementCache } from './client/statement-cache.ts'

type Texts = readonly (readonly [table: string, columns: readonly string[]])[]

/** Every column of text, by table. */
const TEXTS: Texts = [
  ['budget', ['key', 'kind']],
  ['lease', ['key']],
  ['owner', ['label', 'state', 'outcome', 'process']],
  ['mint', ['key', 'id']],
  ['counter', ['key']],
]
/** Since schema 3. */
const RESERVATION_TEXTS: Texts = [
  ['reservation', ['key', 'id', 'made_as', 'request', 'on_expire', 'lots']],
  ['reservation_key', ['key', 'id', 'first_key']],
]

/**
 * Text that is no UTF-8, column by column. SQLite does not check it, and libsql ends the process when it reads such text; so it is read as
 * bytes here, before anything else is read. Text of printable ASCII alone, which is most, is left out by SQLite.
 */
export function textDamage(statements: StatementCache, schema: number): readonly string[] {
  const texts = schema < 3 ? TEXTS : [...TEXTS, ...RESERVATION_TEXTS]
  return texts.flatMap(([table, columns]) => columns.flatMap((column) => damageOf(statements, table, column)))
}

function damageOf(statements: StatementCache, table: string, column: string): readonly string[] {
  const suspects = statements
    .statement(`SELECT CAST(${column} AS BLOB) FROM ${table} WHERE ${column} GLOB '*[^ -~]*'`)
    .all([])
  const broken = suspects.map(([value]) => bytes(value)).filter((value) => !isUtf8(value))
  const [first] = broken
  if (first === undefined) return []
  return [`the ${column} of ${broken.length} rows of ${table} is no text, as '${decode(first)}'`]
}

/** Bytes that should be text; those that are none are replaced. */
export function decode(value: Uint8Array): string {
  return new TextDecoder().decode(value)
}

export function bytes(value: unknown): Uint8Array {
  invariant(value instanceof Uint8Array, 'the SQLite client returns a blob as bytes')
  return value
}
