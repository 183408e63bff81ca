import { describe, expect, expectTypeOf, test } from 'vitest'
import { changedAdapter } from '../../src/core/changed-adapter.ts'
import type { NewIntent, UserTransaction } from '../../src/core/intent-writer.ts'
import type { Intent } from '../../src/core/reservations/intents.ts'
import { open, storeFrom } from '../../src/index.ts'
import type { PendingIntent, Reservation, Settled, Vsa, VsaEvent } from '../../src/index.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock, type FaultyStore, type ManualClock } from '../../src/testing/index.ts'

/* T1: what the engine does with `{ db }`. Postgres: stores/postgres-user-transactions.proof.test.ts. */

const CREDITS = { initial: 100, atRisk: 0 } as const
const KEPT = { id: 'call', ttlMs: 3_600_000, onExpire: 'return' } as const
const PENDING: PendingIntent = { pending: true }

const db: UserTransaction = { executeSql: async () => undefined }

interface World {
  readonly vsa: Vsa
  readonly net: FaultyStore
  readonly clock: ManualClock
  /** What was written, each with its transaction. */
  readonly written: (NewIntent & { readonly db: UserTransaction })[]
}

/** A store in memory that writes down its intents, behind everything that wraps stores. */
function world(fault?: Error, onStoreUnavailable: 'throw' | 'allow' = 'throw'): World {
  const clock = manualClock()
  const written: World['written'] = []
  const intents = {
    insert: async (db: UserTransaction, intent: NewIntent): Promise<void> => {
      if (fault !== undefined) throw fault
      written.push({ ...intent, db })
    },
  }
  const inner = changedAdapter(new MemoryAdapter(() => clock.now(), 10_000), { intents })
  const net = faultyStore(storeFrom(changedAdapter(inner, {}), { now: () => clock.now() }), { clock })
  const vsa = open({ store: net, clock, onStoreUnavailable })
  return { vsa, net, clock, written }
}

async function reserved({ vsa }: World): Promise<Reservation> {
  const reservation = await vsa.budget('credits', CREDITS).reserve(10, KEPT)
  if (reservation === null) throw new Error('the units are not there')
  return reservation
}

describe('in a transaction of the user', () => {
  test('T1: settle, cancel and mint write one row each, and send nothing', async () => {
    const one = world()
    const reservation = await reserved(one)
    const sent = one.net.calls.exchange
    reservation.meter(4)
    expect(await reservation.settle(7, { db })).toEqual(PENDING)
    expect(await reservation.settle(undefined, { db })).toEqual(PENDING)
    expect(await reservation.cancel({ db })).toEqual(PENDING)
    expect(await one.vsa.budget('credits', CREDITS).mint(5, { id: 'order', db })).toEqual(PENDING)
    const name = { key: 'credits', id: 'call', db }
    expect(one.written).toEqual([
      { op: 'settle', ...name, units: 7 },
      { op: 'settle', ...name, units: 4 },
      { op: 'settle', ...name, units: 0 },
      { op: 'mint', ...name, id: 'order', units: 5 },
    ])
    expect([reservation.state, one.net.calls.exchange]).toEqual(['open', sent])
    expect(await reservation.settle(3)).toEqual({ settled: 3, uncovered: 0, repeated: false })
  })

  test('T1: what it resolves to is no outcome, for the compiler either', () => {
    expectTypeOf<Settled>().not.toExtend<PendingIntent>()
    expectTypeOf<PendingIntent>().not.toExtend<Settled>()
    const settle = (reservation: Reservation): Promise<PendingIntent> => reservation.settle(1, { db })
    const direct = (reservation: Reservation): Promise<Settled> => reservation.settle(1)
    const mint = ({ vsa }: World): Promise<PendingIntent> => vsa.budget('a', CREDITS).mint(1, { id: 'a', db })
    expect([settle, direct, mint]).toHaveLength(3)
  })

  test('T1: an error of db is passed on as it is, and nothing has changed', async () => {
    const fault = new Error('current transaction is aborted')
    const one = world(fault)
    const reservation = await reserved(one)
    expect(await reservation.settle(7, { db }).catch((error: unknown) => error)).toBe(fault)
    const minted = one.vsa.budget('credits', CREDITS).mint(5, { id: 'order', db })
    expect(await minted.catch((error: unknown) => error)).toBe(fault)
    expect(reservation.state).toBe('open')
    expect(await one.vsa.budget('credits', CREDITS).peek()).toMatchObject({ minted: 100, reserved: 10, used: 0 })
  })

  test('T1: a reservation in memory has no row to settle', async () => {
    const { vsa, written } = world()
    const leased = await vsa.budget('leased', { initial: 100, atRisk: 20 }).reserve(10)
    const settled = leased?.settle(7, { db })
    await expect(settled).rejects.toThrow(TypeError)
    await expect(settled).rejects.toThrow('reserve(max, { id, ttlMs, onExpire })')
    await expect(leased?.cancel({ db })).rejects.toThrow(TypeError)
    expect([leased?.state, written]).toEqual(['open', []])
  })

  test('P7 T1: of what was denied on trial nothing is written, and the transaction does not fail', async () => {
    const { vsa, written } = world()
    const trial = vsa.budget('trial', { initial: 5, shadow: true })
    const [real, counted] = [vsa.budget('credits', CREDITS), vsa.budget('counted', { initial: 50, shadow: true })]
    const alone = await trial.reserve(10, KEPT)
    const all = await vsa.reserveAll([[real, 10], [trial, 10], [counted, 10]], { ...KEPT, id: 'all' }) // oxfmt-ignore
    for (const reservation of [alone, ...(all ?? [])]) expect(await reservation?.settle(7, { db })).toEqual(PENDING)
    expect(written.map(({ key, id }) => [key, id])).toEqual([['credits', 'all'], ['counted', 'all']]) // oxfmt-ignore
    await expect(alone?.settle(7, { db: undefined as never })).rejects.toThrow('options.db must be your transaction')
    await vsa.close()
  })

  test('T1: a store without it says what to do instead', async () => {
    const vsa = open({ store: faultyStore(memory(), { clock: manualClock() }) })
    const credits = vsa.budget('credits', CREDITS)
    const reservation = await credits.reserve(10, KEPT)
    const refused = {
      code: 'intents_unsupported',
      applied: 'no',
      message: expect.stringContaining('after your commit') as unknown,
    }
    await expect(reservation?.settle(7, { db })).rejects.toMatchObject(refused)
    await expect(credits.mint(5, { id: 'order', db })).rejects.toMatchObject(refused)
    expect(await credits.peek()).toMatchObject({ minted: 100, reserved: 10 })
    await vsa.close()
  })

  test.each([
    ['undefined', undefined],
    ['a client of its own', { query: async () => undefined }],
  ])('T1: %s as db is an error, and nothing counts at once', async (_what, wrong) => {
    const one = world()
    const reservation = await reserved(one)
    const credits = one.vsa.budget('credits', CREDITS)
    const given = { db: wrong as unknown as UserTransaction }
    await expect(reservation.settle(7, given)).rejects.toThrow('options.db must be your transaction')
    await expect(reservation.cancel(given)).rejects.toThrow(TypeError)
    await expect(credits.mint(5, { id: 'order', ...given })).rejects.toThrow('options.db must be your transaction')
    await expect(reservation.settle(-1, { db })).rejects.toThrow('actual')
    await expect(one.vsa.budget('calls', { limit: 1, per: 'day' }).mint(5, { id: 'order', db })).rejects.toThrow(
      TypeError,
    )
    expect(await credits.peek()).toMatchObject({ minted: 100, reserved: 10, used: 0 })
    expect(one.written).toEqual([])
  })

  test('T1 R8: a reservation that the store did not answer for is settled by its id, in case it was made', async () => {
    const one = world(undefined, 'allow')
    await one.vsa.ready()
    one.net.cut('refuse')
    const budget = one.vsa.budget('credits', CREDITS)
    const asked = budget.reserve(10, { ...KEPT, deadlineMs: 100 }).catch((error: unknown) => error)
    await one.clock.advance(5_000)
    expect(await asked).toMatchObject({ code: 'store_unavailable', applied: 'unknown' })
    expect(await budget.reservation('call').settle(7, { db })).toEqual(PENDING)
    expect(one.written).toEqual([{ op: 'settle', key: 'credits', id: 'call', units: 7, db }])
  })

  test('T1, R3: a quiet owner looks after a second whether the transaction has been committed', async () => {
    const one = world()
    const reservation = await reserved(one)
    await one.clock.advance(5_000)
    const before = one.net.calls.upkeep
    await reservation.settle(7, { db })
    await one.clock.advance(900)
    expect(one.net.calls.upkeep).toBe(before)
    await one.clock.advance(200)
    expect(one.net.calls.upkeep).toBe(before + 1)
  })

  test('T1: nothing of the engine is needed, so it goes on after close', async () => {
    const one = world()
    const reservation = await reserved(one)
    await one.vsa.close()
    expect(await reservation.settle(7, { db })).toEqual(PENDING)
    expect(await one.vsa.budget('credits', CREDITS).mint(5, { id: 'order', db })).toEqual(PENDING)
    expect(one.written).toHaveLength(2)
  })

  test('T1 21 22: what can never be applied is told once, by the process that removed it, with what to do', async () => {
    const clock = manualClock()
    const rows = new MemoryAdapter(() => clock.now(), 10_000)
    const row = { kind: 'budget', row: undefined, held: 0, others: 0, othersHeld: 0, ended: [] } as const
    let intents: readonly Intent[] = []
    let refusals = 0
    /** Intents are swept with the first upkeep, and are there until it has been saved. */
    const adapter = changedAdapter(rows, {
      intents: { insert: async () => undefined },
      loadUpkeep: (bounds) => {
        const loaded = rows.loadUpkeep(bounds)
        return { ...loaded, rows: { ...loaded.rows, nextSweepAt: intents.length > 0 ? 0 : null } }
      },
      loadSweep: (max) => {
        const loaded = rows.loadSweep(max)
        const budget = rows.read([{ key: 'credits', period: 0 }])[0]
        const sources = [{ key: 'credits', period: 0, rows: { ...row, row: budget, mintedBefore: undefined } }]
        return {
          ...loaded,
          rows: { ...loaded.rows, intents, sources },
          save: (writes) => {
            if (refusals-- > 0) return false
            intents = intents.filter(({ number }) => !writes.removedIntents.includes(number))
            return loaded.save(writes)
          },
        }
      },
    })
    const books = storeFrom(adapter, { now: () => clock.now(), upkeepEveryMs: 0 })
    const events: VsaEvent[] = []
    const onEvent = (event: VsaEvent): void => void (event.type === 'intent_dropped' && events.push(event))
    const vsa = open({ store: faultyStore(books, { clock }), clock, onEvent })
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit(0)
    const named = { key: 'credits', period: 0, mintedBefore: undefined }
    refusals = 1
    intents = [
      { number: 1, op: 'settle', key: 'credits', id: 'gone', units: 3 },
      { number: 2, op: 'mint', ...named, id: 'invoice', units: 5, mintedBefore: 4 },
      { number: 3, op: 'mint', ...named, id: 'gift', units: Number.MAX_SAFE_INTEGER },
      { number: 4, op: 'mint', ...named, id: 'bonus', units: 5 },
    ]
    await credits.admit()
    await credits.admit()
    expect(intents).toEqual([])
    expect(events).toEqual([
      { ...dropped('settle', 'gone', 3, 'unknown_id'), detail: expect.stringContaining('admit its units') as string },
      { ...dropped('mint', 'invoice', 5, 'id_conflict'), detail: expect.stringContaining('another id') as string },
      {
        ...dropped('mint', 'gift', Number.MAX_SAFE_INTEGER, 'units_overflow'),
        detail: expect.stringContaining('Mint fewer') as string,
      },
    ])
  })
})

function dropped(op: 'settle' | 'mint', id: string, units: number, reason: string): object {
  return { type: 'intent_dropped', op, key: 'credits', id, units, reason }
}
