import type { UserTransaction } from '../../core/intent-writer.ts'
import { assertFunction, assertMethods } from '../../core/options.ts'
import { assertInTransaction } from './pg-transaction-status.ts'

/*
 * T1: `{ db }` from what each library hands to a transaction. All are typed by what is called, so no library is a dependency. What is known to commit each
 * statement by itself, such as a pool, is refused: its row would count although the user's transaction is rolled back. Kysely, Knex and Prisma themselves
 * refuse a transaction that is over; a client of pg is asked before each statement, also below Drizzle.
 */

/** The `Client` or `PoolClient` of `pg`, between `begin` and `commit`. */
export interface PgClient {
  query(text: string, values: string[]): Promise<unknown>
  /** A pool has it. */
  readonly totalCount?: never
}

/**
 * Where `pg` tells its status (`client.getTransactionStatus`), a statement outside a transaction rejects with a TypeError, and is not sent.
 * @param client of `pg`, on which the transaction was begun
 * @throws TypeError for a pool: its statements go over any connection
 */
export function fromPg(client: PgClient): UserTransaction {
  assertMethods('client', client, 'the client of pg that has the transaction', ['query'])
  refuseUnless('client', !('totalCount' in client), 'the client of pg that has the transaction, not the pool')
  return {
    executeSql: async (text, values) => {
      assertInTransaction('client', client)
      return client.query(text, values)
    },
  }
}

/** The `Transaction` of Kysely. */
export interface KyselyTransaction {
  readonly isTransaction: true
  executeQuery(query: KyselyQuery): Promise<unknown>
}

/** As `CompiledQuery.raw` of Kysely makes it. */
export interface KyselyQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly query: {
    readonly kind: 'RawNode'
    readonly sqlFragments: readonly string[]
    readonly parameters: readonly never[]
  }
  readonly queryId: { readonly queryId: string }
}

/**
 * @param trx what `db.transaction().execute` and `startTransaction` give
 * @throws TypeError for a Kysely that is no transaction
 */
export function fromKysely(trx: KyselyTransaction): UserTransaction {
  assertMethods('trx', trx, 'the transaction of Kysely', ['executeQuery'])
  refuseUnless('trx', trx.isTransaction, 'what Kysely hands to transaction().execute()')
  return {
    executeSql: (sql, parameters) => {
      const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const
      // Plugins keep what belongs to a query under this object.
      return trx.executeQuery({ sql, parameters, query, queryId: { queryId: 'vsa' } })
    },
  }
}

/** The `tx` of Drizzle. */
export interface DrizzleTransaction<Query> {
  execute(query: Query): PromiseLike<unknown>
  rollback(): never
  readonly _?: { readonly session?: object }
}

/**
 * Over `pg`, a statement outside a transaction rejects as one of `fromPg` does. Of other drivers it is not known whether the transaction is over.
 * @param tx what `db.transaction` hands over
 * @param sql the tag of `drizzle-orm`, which makes a statement with parameters
 * @throws TypeError for a database of Drizzle that is no transaction
 */
export function fromDrizzle<Query>(
  tx: DrizzleTransaction<Query>,
  sql: (texts: TemplateStringsArray, ...values: string[]) => Query,
): UserTransaction {
  assertMethods('tx', tx, 'what Drizzle hands to transaction()', ['execute', 'rollback'])
  assertFunction('sql', sql)
  return {
    executeSql: async (text, values) => {
      const session = tx._?.session
      if (session !== undefined && 'client' in session) assertInTransaction('tx', session.client)
      const { texts, given } = split(text, values)
      return tx.execute(sql(Object.assign(texts, { raw: texts }), ...given))
    },
  }
}

/** The `Transaction` of Knex. */
export interface KnexTransaction {
  readonly isTransaction?: boolean
  raw(sql: string, bindings: readonly string[]): PromiseLike<unknown>
}

/**
 * @param trx what `knex.transaction` gives
 * @throws TypeError for a Knex that is no transaction
 */
export function fromKnex(trx: KnexTransaction): UserTransaction {
  assertMethods('trx', trx, 'the transaction of Knex', ['raw'])
  refuseUnless('trx', trx.isTransaction, 'what Knex hands to transaction()')
  return {
    executeSql: (text, values) => {
      const { texts, given } = split(text, values)
      // A question mark of the text is no binding.
      const sql = texts.map((part) => part.replaceAll('?', String.raw`\?`)).join('?')
      return trx.raw(sql, given)
    },
  }
}

/** The `tx` of an interactive transaction of Prisma. */
export interface PrismaTransaction {
  $executeRawUnsafe(text: string, ...values: string[]): PromiseLike<unknown>
  /** A client that is no transaction has it. */
  readonly $connect?: never
}

/**
 * @param tx what `prisma.$transaction(async (tx) => …)` hands over
 * @throws TypeError for a client of Prisma that is no transaction
 */
export function fromPrisma(tx: PrismaTransaction): UserTransaction {
  assertMethods('tx', tx, 'what Prisma hands to $transaction(async (tx) => …)', ['$executeRawUnsafe'])
  refuseUnless('tx', tx.$connect === undefined, 'what Prisma hands to $transaction(async (tx) => …), not the client')
  return { executeSql: (text, values) => tx.$executeRawUnsafe(text, ...values) }
}

function refuseUnless(name: string, isTransaction: boolean | undefined, what: string): void {
  if (isTransaction !== true)
    throw new TypeError(`${name} must be ${what}: outside a transaction each statement commits by itself`)
}

/** The text around its parameters, and the value of each of these. A name in quotation marks may have a `$1` of its own. */
function split(
  text: string,
  values: readonly string[],
): { readonly texts: string[]; readonly given: readonly string[] } {
  const texts: string[] = []
  const given: string[] = []
  let from = 0
  for (const { 0: found, 1: number, index } of text.matchAll(/"[^"]*"|\$(\d+)/g)) {
    if (number === undefined) continue
    texts.push(text.slice(from, index))
    given.push(values[Number(number) - 1] ?? '')
    from = index + found.length
  }
  return { texts: [...texts, text.slice(from)], given }
}
