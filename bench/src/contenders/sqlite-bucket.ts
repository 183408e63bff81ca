import { limitOf, type Trace } from '../workloads/trace.ts'
import { ratePerMs } from './bucket-rate.ts'
import { plainBooks, usedOf, type Contender, type Limiter } from './contender.ts'
import type { Place } from './place.ts'

const CREATE = `CREATE TABLE IF NOT EXISTS bucket (
  key TEXT PRIMARY KEY, capacity REAL NOT NULL, rate REAL NOT NULL, level REAL NOT NULL, at REAL NOT NULL, taken INTEGER NOT NULL
) STRICT, WITHOUT ROWID`
const INSERT = 'INSERT OR IGNORE INTO bucket VALUES (?, ?, ?, ?, ?, 0)'
const REFUND = {
  token: 'UPDATE bucket SET level = min(capacity, level + ?2), taken = taken - ?2 WHERE key = ?1',
  leaky: 'UPDATE bucket SET level = max(0, level - ?2), taken = taken - ?2 WHERE key = ?1',
}
const TOKENS = 'min(capacity, level + rate * max(0, ?3 - at))'
const WATER = 'max(0, level - rate * max(0, ?3 - at))'
const ADMIT = {
  token: `UPDATE bucket SET level = ${TOKENS} - ?2, at = max(at, ?3), taken = taken + ?2 WHERE key = ?1 AND ${TOKENS} >= ?2`,
  leaky: `UPDATE bucket SET level = ${WATER} + ?2, at = max(at, ?3), taken = taken + ?2 WHERE key = ?1 AND ${WATER} + ?2 <= capacity`,
}

export type Bucket = 'token' | 'leaky'

/** One guarded, prepared UPDATE for each request, committed when it returns. */
export function sqliteBucket(kind: Bucket): Contender {
  return {
    name: `${kind}-bucket-sqlite`,
    title: `${kind} bucket, one UPDATE each`,
    group: 'per-request',
    store: 'sqlite',
    durable: 'answer',
    isExact: true,
    lacks: [],
    open: async (place, trace) => limiter(place, trace, kind),
  }
}

function limiter(place: Place, trace: Trace, kind: Bucket): Limiter {
  const database = place.sqlite()
  database.exec(CREATE)
  const [admit, refund, insert] = [ADMIT[kind], REFUND[kind], INSERT].map((sql) => database.prepare(sql))
  if (admit === undefined || refund === undefined || insert === undefined) throw new Error('not prepared')
  const known = new Uint8Array(trace.names.length)
  return {
    admit: (key, units) => {
      const name = trace.names[key] ?? ''
      if (known[key] === 0) {
        const capacity = limitOf(trace, key)
        insert.run(name, capacity, ratePerMs(trace, capacity), kind === 'token' ? capacity : 0, Date.now())
        known[key] = 1
      }
      return admit.run(name, units, Date.now()).changes === 1
    },
    refund: (key, units) => void refund.run(trace.names[key] ?? '', units),
    close: async () => database.close(),
    books: async () => {
      const reading = place.sqlite()
      const rows = reading.prepare('SELECT key, taken FROM bucket').all() as { key: string; taken: number }[]
      reading.close()
      const taken = new Map(rows.map((row) => [row.key, row.taken]))
      return plainBooks(usedOf(trace, (name) => taken.get(name) ?? 0))
    },
  }
}
