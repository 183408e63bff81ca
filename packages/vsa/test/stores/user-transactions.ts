import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import knex from 'knex'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { UserTransaction } from '../../src/core/intent-writer.ts'
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPg,
  fromPrisma,
  type PrismaTransaction,
} from '../../src/stores/postgres/index.ts'

/** What a user does inside a transaction: it is committed when this resolves, and rolled back when it rejects. */
export type Work = (db: UserTransaction) => Promise<void>

export interface Library {
  readonly name: string
  inTransaction(work: Work): Promise<void>
  /** Hands over what commits each statement by itself. */
  outside(): UserTransaction
  close(): Promise<void>
}

/** Each library of users, on a server. Those that take a pool get this one. */
export function libraries(pool: Pool, url: string): readonly Library[] {
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }), plugins: [new CamelCasePlugin()] })
  const drizzleDb = drizzle({ client: pool })
  const knexDb = knex({ client: 'pg', connection: url })
  const open = async (): Promise<void> => undefined
  return [
    {
      name: 'pg',
      inTransaction: (work) => withClient(pool, (client) => work(fromPg(client))),
      outside: () => fromPg(pool as object as PoolClient),
      close: open,
    },
    {
      name: 'Kysely',
      inTransaction: (work) => kysely.transaction().execute((trx) => work(fromKysely(trx))),
      outside: () => fromKysely(kysely as object as Parameters<typeof fromKysely>[0]),
      close: open,
    },
    {
      name: 'Drizzle',
      inTransaction: (work) => drizzleDb.transaction((tx) => work(fromDrizzle(tx, sql))),
      outside: () => fromDrizzle(drizzleDb as object as Parameters<typeof fromDrizzle>[0], sql),
      close: open,
    },
    {
      name: 'Knex',
      inTransaction: (work) => knexDb.transaction((trx) => work(fromKnex(trx))),
      outside: () => fromKnex(knexDb),
      close: () => knexDb.destroy(),
    },
    {
      name: 'Prisma (a stand-in)',
      inTransaction: (work) => withClient(pool, (client) => work(fromPrisma(prismaOver(client)))),
      outside: () => fromPrisma({ ...prismaOver(pool), $connect: open } as object as PrismaTransaction),
      close: open,
    },
  ]
}

async function withClient(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await work(client)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

/** The call of Prisma, without Prisma: the statement is sent when the result is awaited. */
function prismaOver(client: Pick<Pool, 'query'>): PrismaTransaction {
  const sent = async (text: string, values: readonly string[]): Promise<number> =>
    (await client.query(text, [...values])).rowCount ?? 0
  return {
    $executeRawUnsafe: (text, ...values) => ({
      // oxlint-disable-next-line unicorn/no-thenable -- A PrismaPromise is one.
      then: (onDone, onFailed) => sent(text, values).then(onDone, onFailed),
    }),
  }
}
