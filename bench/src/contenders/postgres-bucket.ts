import { limitOf, type Trace } from '../workloads/trace.ts'
import { ratePerMs } from './bucket-rate.ts'
import { plainBooks, usedOf, type Contender, type Limiter } from './contender.ts'
import type { Place } from './place.ts'
import type { Bucket } from './sqlite-bucket.ts'

/** More gain nothing on a few cores. */
const CONNECTIONS = 16
const ELAPSED_MS = 'greatest(0, extract(epoch from now() - at) * 1000)'
const TOKENS = `least(capacity, level + rate * ${ELAPSED_MS})`
const WATER = `greatest(0, level - rate * ${ELAPSED_MS})`
const TAKE = 'at = greatest(at, now()), taken = taken + $2'

/** One guarded, prepared `UPDATE … RETURNING` for each request, committed when it answers. */
export function postgresBucket(kind: Bucket): Contender {
  return {
    name: `${kind}-bucket-postgres`,
    title: `${kind} bucket, one UPDATE … RETURNING each`,
    group: 'per-request',
    store: 'postgres',
    durable: 'answer',
    isExact: true,
    lacks: [],
    open: async (place, trace) => limiter(place, trace, kind),
  }
}

function statementsOf(table: string, kind: Bucket): { readonly admit: string; readonly refund: string } {
  const where = 'where key = $1'
  return kind === 'token'
    ? {
        admit: `update ${table} set level = ${TOKENS} - $2, ${TAKE} ${where} and ${TOKENS} >= $2 returning level`,
        refund: `update ${table} set level = least(capacity, level + $2), taken = taken - $2 ${where}`,
      }
    : {
        admit: `update ${table} set level = ${WATER} + $2, ${TAKE} ${where} and ${WATER} + $2 <= capacity returning level`,
        refund: `update ${table} set level = greatest(0, level - $2), taken = taken - $2 ${where}`,
      }
}

async function limiter(place: Place, trace: Trace, kind: Bucket): Promise<Limiter> {
  const pool = place.pool(CONNECTIONS)
  const table = `${place.name}.bucket`
  // Room for versions of a row on its own page: updates then touch no index.
  await pool.query(
    `create table if not exists ${table} (key text primary key, capacity float8 not null, rate float8 not null, level float8 not null,
at timestamptz not null, taken bigint not null) with (fillfactor = 50)`,
  )
  const statements = statementsOf(table, kind)
  const insert = `insert into ${table} values ($1, $2, $3, $4, now(), 0) on conflict do nothing`
  const inserted: (Promise<unknown> | undefined)[] = Array.from({ length: trace.names.length })
  const known = new Uint8Array(trace.names.length)
  const admit = async (key: number, units: number): Promise<boolean> => {
    const values = [trace.names[key], units]
    return (await pool.query({ name: 'admit', text: statements.admit, values })).rows.length === 1
  }
  const admitFirst = async (key: number, units: number): Promise<boolean> => {
    const capacity = limitOf(trace, key)
    const values = [trace.names[key], capacity, ratePerMs(trace, capacity), kind === 'token' ? capacity : 0]
    await (inserted[key] ??= pool.query({ name: 'insert', text: insert, values }))
    known[key] = 1
    return admit(key, units)
  }
  return {
    admit: (key, units) => (known[key] === 1 ? admit(key, units) : admitFirst(key, units)),
    refund: (key, units) => pool.query({ name: 'refund', text: statements.refund, values: [trace.names[key], units] }),
    close: async () => undefined,
    books: async () => {
      const { rows } = await pool.query<{ key: string; taken: string }>(`select key, taken from ${table}`)
      const taken = new Map(rows.map((row) => [row.key, Number(row.taken)]))
      return plainBooks(usedOf(trace, (name) => taken.get(name) ?? 0))
    },
  }
}
