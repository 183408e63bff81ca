import { afterAll, describe, expect, it } from 'vitest'
import type { Store } from '../../src/core/store.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { IS_QUICK, rounds } from '../rounds.ts'
import { dropSchemas, newPool, newSchema, reservedBy } from './postgres-fixture.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const pool = newPool(url, { max: 8 })
/** For what the tests do beside the store: its commits need not be durable. */
const admin = newPool(url, { options: '-c synchronous_commit=off' })

afterAll(async () => {
  if ('url' in server) await dropSchemas(admin)
  await Promise.all([pool.end(), admin.end()])
  if ('stop' in server) await server.stop()
})

interface TestSchema {
  readonly name: string
  told: number
}

/** Emptied schemas: to make and drop one takes longer than most tests. */
const free: TestSchema[] = []

const EMPTY = ['owner', 'budget', 'lease', 'mint', 'counter', 'reservation', 'intent', 'deleted_key', 'deleted_lease']

/** A schema whose `clock_ms()` tells the time of a test. */
async function testSchema(): Promise<TestSchema> {
  const name = newSchema()
  await postgres(admin, { schema: name }).owners()
  await admin.query(`
    create table ${name}.test_clock (ms bigint);
    insert into ${name}.test_clock values (0);
    create or replace function ${name}.clock_ms() returns bigint language sql volatile as 'select ms from ${name}.test_clock'`)
  return { name, told: 0 }
}

/** L2, R2: the sums on the rows are those of the leases and the reservations, and no stub is left. */
async function assertSums(name: string): Promise<void> {
  const { rows } = await admin.query(`
    select b.key, b.period from ${name}.budget b
    left join (select key, period, sum(held) held, count(*) owners from ${name}.lease group by 1, 2) l using (key, period)
    left join (${reservedBy(name)}) r using (key, period)
    where b.kind = 's' or b.leased <> coalesce(l.held, 0) or b.lessees <> coalesce(l.owners, 0) or b.reserved <> coalesce(r.charged, 0)`)
  expect(rows).toEqual([])
}

/** Leaves the schema for another test. */
async function emptied(schema: TestSchema): Promise<void> {
  const { name } = schema
  await assertSums(name)
  await admin.query(`
    ${EMPTY.map((table) => `delete from ${name}.${table};`).join(' ')}
    update ${name}.store set epochs = 0, time_seen = 0, leapt_from = 0, leapt_at = 0, leapt_until = 0, pruned_until = 0, frozen_until = 0,
    kept_incarnation = incarnation::text || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`)
  free.push(schema)
}

async function setClock(schema: TestSchema, now: number): Promise<void> {
  if (schema.told === now) return
  schema.told = now
  await admin.query(`update ${schema.name}.test_clock set ms = ${Math.floor(now)}`)
}

/** Sets the clock of the server before each call. */
function onTime(store: Store, onTime: () => Promise<void>): Store {
  const { delete: remove } = store
  return {
    capabilities: store.capabilities,
    join: (label) => onTime().then(() => store.join(label)),
    exchange: (batch) => onTime().then(() => store.exchange(batch)),
    ...(remove && { delete: async (key: string) => onTime().then(() => remove.call(store, key)) }),
    read: (names) => store.read(names),
    list: (range) => store.list(range),
    owners: () => store.owners(),
    close: () => store.close(),
  }
}

const describeHere = 'reason' in server ? describe.skip : describe

/** Loses what is committed from now on, as a standby that is promoted: the store then finds itself under another incarnation than it has kept. */
async function startLosing({ name }: TestSchema): Promise<() => Promise<void>> {
  const tables = [...EMPTY, 'store']
  await admin.query(
    tables
      .map(
        (table) =>
          `drop table if exists ${name}.kept_${table}; create table ${name}.kept_${table} as table ${name}.${table};`,
      )
      .join(' '),
  )
  const lose = tables.map(
    (table) =>
      `delete from ${name}.${table}; insert into ${name}.${table} overriding system value select * from ${name}.kept_${table};`,
  )
  return async () =>
    void (await admin.query(`${lose.join(' ')} update ${name}.store set incarnation = gen_random_uuid()`))
}

interface Variant {
  readonly title: string
  readonly fastPath: boolean
  /** Undefined: as it is read. */
  readonly mayForget: boolean | undefined
}

const VARIANTS: readonly Variant[] = [
  { title: 'Postgres', fastPath: true, mayForget: undefined },
  { title: 'Postgres without its fast path', fastPath: false, mayForget: undefined },
  { title: 'Postgres that may forget', fastPath: true, mayForget: true },
  { title: 'Postgres that may forget, without its fast path', fastPath: false, mayForget: true },
]

/** The others are repeated by `npm run proof`; the fast path leaves to the general one what is rare. */
const variants = IS_QUICK ? VARIANTS.slice(0, 1) : VARIANTS

for (const { title, fastPath, mayForget } of variants) {
  storeConformance(
    title,
    async ({ now, leaseTtlMs }) => {
      const schema = free.pop() ?? (await testSchema())
      const handle = (): Store =>
        onTime(
          postgres(pool, {
            schema: schema.name,
            leaseTtlMs,
            fastPath,
            ...(mayForget && { mayForget }),
            upkeepEveryMs: 0,
          }),
          () => setClock(schema, now()),
        )
      const [store, other] = [handle(), handle()]
      return {
        store,
        another: () => other,
        startLosing: () => startLosing(schema),
        dispose: async () => {
          await Promise.all([store.close(), other.close()])
          await emptied(schema)
        },
      }
    },
    { describe: describeHere, it, expect },
    { sequences: rounds(1), forgets: mayForget === true, deletes: true },
  )
}
