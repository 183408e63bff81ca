import { StoreError } from '../../core/errors.ts'
import type { Inspection } from '../../core/inspection.ts'
import { isDamage } from '../../stores/postgres/errors.ts'
import { postgres } from '../../stores/postgres/index.ts'
import { inspectPostgres, isStoreUsed } from '../../stores/postgres/inspect.ts'
import type { PostgresPool } from '../../stores/postgres/pool.ts'
import { readServer } from '../../stores/postgres/safety.ts'
import { type EnsuredSchema, ensureSchema, schemaScript } from '../../stores/postgres/schema.ts'
import { CommandError } from '../report.ts'
import { openPool, withPool } from './pg-pool.ts'
import { postgresAddress, type PostgresAddress } from './postgres-address.ts'
import type { StorePlace } from './store-place.ts'

/** A place in a schema of a Postgres database. @throws UsageError */
export function postgresPlace(address: string): StorePlace {
  const parts = postgresAddress(address)
  const { url, schema, name } = parts
  return {
    name,
    address,
    verdicts: {
      sound: 'Every lease is on a row, and has an owner.',
      damaged: 'The store is damaged: restore it from a backup.',
    },
    assertNew: () => assertNew(parts),
    withStore: (options, work) => withPool(url, (pool) => work(postgres(pool, { schema, ...options }))),
    inspect: () => inspect(parts),
    isDamage: (error) => error instanceof StoreError && isDamage(error.cause),
    migration: {
      script: schemaScript(schema),
      run: () => withPool(url, (pool) => migrated(pool, schema)),
    },
  }
}

async function migrated(pool: PostgresPool, schema: string): Promise<EnsuredSchema> {
  const { hasStore } = await readServer(pool, schema)
  return ensureSchema(pool, schema, { hasStore, mayCreate: true })
}

/** A schema that was made for this store, and was not used yet, is new. */
async function assertNew({ url, schema, name }: PostgresAddress): Promise<void> {
  if (!(await withPool(url, (pool) => isStoreUsed(pool, schema)))) return
  const message = `${name}: schema ${schema} holds a store already: name another one, as in ?schema=another, or remove it`
  throw new CommandError('store_exists', message)
}

async function inspect({ url, schema }: PostgresAddress): Promise<Inspection> {
  const pool = await openPool(url)
  let ended: Promise<void> | undefined
  const end = (): Promise<void> => (ended ??= pool.end())
  try {
    return { ...(await inspectPostgres(pool, schema)), close: end }
  } catch (error) {
    await end()
    throw error
  }
}
