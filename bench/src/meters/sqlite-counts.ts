import type Database from 'libsql'

const TRANSACTIONS = 0
const ROWS = 1
const WRITES = /^\s*(insert|update|delete|replace)/i
const BEGINS = /^\s*begin/i
const ENDS = /^\s*(commit|rollback|end)/i

/** As functions that are called with their `this` again. */
interface Methods {
  readonly exec: (this: Database.Database, sql: string) => Database.Database
  readonly prepare: (this: Database.Database, sql: string) => Database.Statement
}

type Run = (this: Database.Statement, ...parameters: unknown[]) => unknown

/**
 * Counts transactions and changed rows in `counts`: each BEGIN is one transaction, and so is each statement outside of one. The client runs one connection
 * of a thread at a time, so a flag is enough.
 */
export function countStatements(client: typeof Database, counts: BigInt64Array): void {
  let isInside = false
  const texts = new WeakMap<Database.Statement, string>()
  const patched = new WeakSet<object>()
  const seen = (sql: string): void => {
    if (BEGINS.test(sql)) isInside = true
    else if (ENDS.test(sql)) isInside = false
    else if (isInside) return
    else if (!WRITES.test(sql) && !/^\s*select/i.test(sql)) return
    if (!ENDS.test(sql)) Atomics.add(counts, TRANSACTIONS, 1n)
  }
  const wrap = (run: Run): Run =>
    function counted(this: Database.Statement, ...parameters): unknown {
      const sql = texts.get(this) ?? ''
      seen(sql)
      const result: unknown = run.apply(this, parameters)
      const rows = rowsOf(result)
      if (rows > 0 && WRITES.test(sql)) Atomics.add(counts, ROWS, BigInt(rows))
      return result
    }
  const exec: Methods['exec'] = Reflect.get(client.prototype, 'exec')
  const prepare: Methods['prepare'] = Reflect.get(client.prototype, 'prepare')
  client.prototype.exec = function counted(this: Database.Database, sql) {
    seen(sql)
    return exec.call(this, sql)
  }
  client.prototype.prepare = function counted(this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql)
    texts.set(statement, sql)
    const prototype = Object.getPrototypeOf(statement) as { run: Run; get: Run; all: Run }
    if (!patched.has(prototype)) {
      patched.add(prototype)
      for (const name of ['run', 'get', 'all'] as const) prototype[name] = wrap(prototype[name])
    }
    return statement
  } as typeof client.prototype.prepare
}

/** `changes` of a run; a row, or rows, of RETURNING. */
function rowsOf(result: unknown): number {
  if (Array.isArray(result)) return result.length
  if (typeof result !== 'object' || result === null) return 0
  return 'changes' in result ? Number(result.changes) : 1
}
