import { describe } from '../../core/units.ts'

/** Postgres cuts off longer names, so that two of them could become one. */
const NAME_BYTES_MAX = 63

/** @throws TypeError, RangeError, for what is no name of a schema: 1 to 63 bytes of well-formed text without NUL that do not begin with `pg_` */
export function assertSchema(schema: unknown): void {
  if (typeof schema !== 'string') throw new TypeError(`options.schema must be a string, got ${describe(schema)}`)
  if (schema === '' || schema.startsWith('pg_'))
    throw new TypeError(`options.schema must be a name that does not begin with pg_, got ${describe(schema)}`)
  if (schema.includes('\0') || !schema.isWellFormed())
    throw new TypeError(`options.schema must be well-formed Unicode without NUL, got ${describe(schema)}`)
  const bytes = Buffer.byteLength(schema)
  if (bytes > NAME_BYTES_MAX)
    throw new RangeError(`options.schema must have at most ${NAME_BYTES_MAX} bytes, got ${bytes}`)
}
