import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { open, type Budget, type DurableReserve, type Reservation, type Vsa } from '../../src/index.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import type { UserTransaction } from '../../src/core/intent-writer.ts'
import { fromPg } from '../../src/stores/postgres/index.ts'
import { dropSchemas, newPool, newSchema, storeOn } from './postgres-fixture.ts'
import { libraries, type Library } from './user-transactions.ts'

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const pool = newPool(url, { max: 8 })
const LIBRARIES = libraries(pool, url)
const [PG] = LIBRARIES as readonly [Library]

afterAll(async () => {
  for (const library of LIBRARIES) await library.close()
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

let schema = ''
let vsa: Vsa
let credits: Budget
beforeEach(async () => {
  if ('reason' in server) return
  // What the libraries take for a parameter stands in the name.
  schema = `${newSchema()} $1 "?`
  vsa = open({ store: storeOn(pool, { schema, upkeepEveryMs: 0 }) })
  onTestFinished(() => vsa.close())
  credits = vsa.budget('crédits:"ada"', { initial: 100, atRisk: 0 })
})

async function reserved(part: Partial<DurableReserve> = {}): Promise<Reservation> {
  const reservation = await credits.reserve(10, { id: "order '1'", ttlMs: 3_600_000, onExpire: 'return', ...part })
  if (reservation === null) throw new Error('the units are not there')
  return reservation
}

/** An exchange about something else: upkeep comes before it. */
async function upkeep(): Promise<void> {
  await vsa.budget('other', { initial: 1_000_000, atRisk: 0 }).admit()
}

async function waiting(): Promise<number> {
  const { rowCount } = await pool.query(`select from "${schema.replaceAll('"', '""')}".intent`)
  return rowCount ?? -1
}

const ROLLED_BACK = new Error('the order is not valid')

/** Rejects with the error that ends the transaction. */
async function rolledBack(library: Library, work: Parameters<Library['inTransaction']>[0]): Promise<void> {
  const ended = library.inTransaction(async (db) => {
    await work(db)
    throw ROLLED_BACK
  })
  expect(await ended.catch((error: unknown) => error)).toBe(ROLLED_BACK)
}

describe.skipIf('reason' in server).each(LIBRARIES)('in a transaction of $name (T1)', (library) => {
  it('T1: a commit settles, at the next upkeep, and a rollback leaves everything', async () => {
    const reservation = await reserved()
    await rolledBack(library, async (db) => {
      expect(await reservation.settle(7, { db })).toEqual({ pending: true })
    })
    await upkeep()
    expect(await credits.peek()).toMatchObject({ reserved: 10, used: 0, remaining: 90 })
    await library.inTransaction(async (db) => {
      await reservation.settle(7, { db })
      await upkeep()
      expect(await credits.peek()).toMatchObject({ reserved: 10, used: 0 })
    })
    expect(await credits.peek()).toMatchObject({ reserved: 10, used: 0 })
    await upkeep()
    expect(await credits.peek()).toMatchObject({ reserved: 0, used: 7, remaining: 93 })
    expect(await reservation.settle(9)).toEqual({ settled: 7, uncovered: 0, repeated: true })
    expect(await waiting()).toBe(0)
  })

  it('L3, T1: a mint that was committed counts once under its id, and one that was rolled back does not', async () => {
    await credits.admit()
    await rolledBack(library, async (db) => {
      await credits.mint(5, { id: 'invoice', db })
    })
    await library.inTransaction(async (db) => {
      expect(await credits.mint(5, { id: 'invoice', db })).toEqual({ pending: true })
      await credits.mint(5, { id: 'invoice', db })
    })
    await upkeep()
    expect(await credits.peek()).toMatchObject({ minted: 105, used: 1, remaining: 104 })
    expect(await credits.mint(5, { id: 'invoice' })).toBe(false)
    expect([await credits.peek(), await waiting()]).toMatchObject([{ minted: 105 }, 0])
  })

  it('T1: an error of the server comes as it is, and the transaction decides what becomes of it', async () => {
    const reservation = await reserved()
    const failed = library.inTransaction(async (db) => {
      await reservation.settle(7, { db })
      await db.executeSql('insert into nowhere values ($1)', ['x'])
    })
    await expect(failed).rejects.toThrow(/nowhere/)
    await upkeep()
    expect([await credits.peek(), await waiting()]).toMatchObject([{ reserved: 10, used: 0 }, 0])
  })

  it('T1: what commits each statement by itself is refused', () => {
    expect(() => library.outside()).toThrow(TypeError)
    expect(() => library.outside()).toThrow(/must be /)
  })
})

// Prisma refuses it too: peers/test/prisma.test.ts. The stand-in does not.
describe.skipIf('reason' in server).each(LIBRARIES.filter(({ name }) => !name.startsWith('Prisma')))(
  'after a transaction of $name (T1)',
  (library) => {
    it('T1: what is over is refused, and nothing is written', async () => {
      const reservation = await reserved()
      const kept: UserTransaction[] = []
      await library.inTransaction(async (db) => void kept.push(db))
      await rolledBack(library, async (db) => void kept.push(db))
      for (const db of kept) {
        await expect(reservation.settle(7, { db })).rejects.toThrow(/transaction/i)
        await expect(credits.mint(5, { id: 'invoice', db })).rejects.toThrow(/transaction/i)
      }
      expect([kept.length, await waiting()]).toEqual([2, 0])
      expect(await reservation.cancel()).toEqual({ settled: 0, uncovered: 0, repeated: false })
      expect(await credits.peek()).toMatchObject({ minted: 100, used: 0, reserved: 0, remaining: 100 })
    })
  },
)

describe.skipIf('reason' in server)('settlements in a transaction of the user (T1)', () => {
  it('T1 18: what touches the reservation applies it first', async () => {
    const reservation = await reserved()
    await PG.inTransaction(async (db) => {
      await reservation.cancel({ db })
    })
    expect(await reservation.settle(9)).toEqual({ settled: 0, uncovered: 0, repeated: true })
    expect(await credits.peek()).toMatchObject({ reserved: 0, used: 0, remaining: 100 })
  })

  it('T1 21: of a direct settlement and one in a transaction the first that is applied counts', async () => {
    const reservation = await reserved()
    await PG.inTransaction(async (db) => {
      await reservation.settle(7, { db })
      expect(await reservation.settle(4)).toEqual({ settled: 4, uncovered: 0, repeated: false })
    })
    await upkeep()
    expect([await credits.peek(), await waiting()]).toMatchObject([{ reserved: 0, used: 4, remaining: 96 }, 0])
    expect(await credits.reservation("order '1'").settle(7)).toEqual({ settled: 4, uncovered: 0, repeated: true })
  })

  it.each([
    ['return', 100],
    ['capture', 90],
  ] as const)('R4, T1: one that commits after the end (%s) puts it right, once', async (onExpire, remaining) => {
    const reservation = await reserved({ ttlMs: 1, onExpire })
    await PG.inTransaction(async (db) => {
      await reservation.settle(7, { db })
      while (await reservation.extend({ units: 10 })) await upkeep()
      expect([reservation.state, await credits.peek()]).toMatchObject(['expired', { used: 0, remaining }])
    })
    await upkeep()
    await upkeep()
    expect([await credits.peek(), await waiting()]).toMatchObject([{ used: 7, remaining: 93 }, 0])
    expect(await reservation.settle(2)).toEqual({ settled: 7, uncovered: 0, repeated: true })
  })

  it('T1: it takes no connection of the pool, and none of its locks waits for another transaction', async () => {
    const reservation = await reserved()
    const before = pool.totalCount - pool.idleCount
    await PG.inTransaction(async (db) => {
      await PG.inTransaction(async (other) => {
        await reservation.settle(7, { db })
        await reservation.settle(5, { db: other })
        expect(pool.totalCount - pool.idleCount).toBe(before + 2)
      })
    })
    // The first number, although it was committed last.
    expect(await reservation.settle(1)).toMatchObject({ settled: 7, repeated: true })
  })

  it('L3, T1 22: a mint before the budget has a row waits for it', async () => {
    await vsa.ready()
    await PG.inTransaction(async (db) => {
      await credits.mint(5, { id: 'invoice', db })
    })
    await upkeep()
    expect(await waiting()).toBe(1)
    await credits.admit()
    await upkeep()
    expect([await credits.peek(), await waiting()]).toMatchObject([{ minted: 105, used: 1 }, 0])
  })

  it('T1, R3: a quiet process applies it by itself', async () => {
    const reservation = await reserved()
    await PG.inTransaction(async (db) => {
      await reservation.settle(7, { db })
    })
    while ((await waiting()) > 0) await credits.peek()
    expect(await credits.peek()).toMatchObject({ reserved: 0, used: 7 })
  })

  it('T1: a client of pg that has not begun is refused, and one whose transaction has failed gets the error of the server', async () => {
    const reservation = await reserved()
    const client = await pool.connect()
    onTestFinished(() => client.release())
    const db = fromPg(client)
    await expect(reservation.settle(7, { db })).rejects.toThrow(/await its `begin` first/)
    await client.query('begin')
    await expect(client.query('select from nowhere')).rejects.toThrow(/nowhere/)
    await expect(reservation.settle(7, { db })).rejects.toThrow(/current transaction is aborted/)
    await client.query('rollback; begin')
    expect(await reservation.settle(7, { db })).toEqual({ pending: true })
    await client.query('commit')
    expect(await reservation.settle(1)).toMatchObject({ settled: 7, repeated: true })
  })

  it('T1: the right to insert a row is enough', async () => {
    const role = `test_${process.pid}_inserts`
    const name = `"${schema.replaceAll('"', '""')}"`
    const reservation = await reserved()
    await pool.query(
      `create role ${role}; grant usage on schema ${name} to ${role}; grant insert on ${name}.intent to ${role}`,
    )
    onTestFinished(async () => {
      await pool.query(`drop owned by ${role}; drop role ${role}`)
    })
    await PG.inTransaction(async (db) => {
      await db.executeSql(`set local role ${role}`, [])
      await reservation.settle(7, { db })
    })
    expect(await reservation.settle(1)).toMatchObject({ settled: 7, repeated: true })
  })
})
