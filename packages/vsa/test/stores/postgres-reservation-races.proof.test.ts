import { afterAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { Answer, AppliedAnswer, Batch, Take } from '../../src/core/exchange.ts'
import type { ReservationChange } from '../../src/core/reservations/messages.ts'
import type { Store } from '../../src/core/store.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { rounds } from '../rounds.ts'
import { dropSchemas, newPool, newSchema, reservedBy, storeOn } from './postgres-fixture.ts'
import { batch, entry, initial } from './sqlite-fixture.ts'

const OWNERS = 6
const IDS = 2 * rounds(1)
const LIMIT = 1_000_000

// One of its own, whose statistics are of this test.
const server = await postgresServer({})
const pool = newPool('url' in server ? server.url : '', { max: 2 * OWNERS })

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

/** What all owners were answered. */
class Tally {
  readonly #granted = new Map<string, number>()
  readonly #settled = new Map<string, number[]>()
  readonly #refunded = new Map<string, number[]>()
  #plain = 0

  /** @param id of the only remembered take, and of the only change */
  add(id: string, { granted, credits }: AppliedAnswer): void {
    this.#plain += granted[0] ?? 0
    const [outcome] = credits?.changes ?? []
    if (credits?.takes[1] !== undefined) this.#granted.set(id, (this.#granted.get(id) ?? 0) + (granted[1] ?? 0))
    if (outcome?.kind === 'settled') note(this.#settled, id, outcome.repeated ? -1 : outcome.settled)
    if (outcome?.kind === 'refunded') note(this.#refunded, id, outcome.repeated ? -1 : outcome.units)
  }

  /** R1, R4, I2: what each id was answered for the first time. */
  get firsts(): { readonly granted: number[]; readonly settled: number[][]; readonly refunded: number[][] } {
    const first = (all: ReadonlyMap<string, number[]>): number[][] =>
      [...all.values()].map((answers) => answers.filter((units) => units >= 0))
    return { granted: [...this.#granted.values()], settled: first(this.#settled), refunded: first(this.#refunded) }
  }

  get used(): number {
    const { settled, refunded } = this.firsts
    return this.#plain + total(settled) - total(refunded)
  }
}

function note(all: Map<string, number[]>, id: string, units: number): void {
  all.set(id, [...(all.get(id) ?? []), units])
}

function total(units: readonly (readonly number[])[]): number {
  return units.flat().reduce((sum, each) => sum + each, 0)
}

/** Sends the same batch until its outcome is certain (O2). */
async function certain(store: Store, sent: Batch): Promise<Answer> {
  for (;;) {
    try {
      return await store.exchange(sent)
    } catch (error) {
      if (!(error instanceof StoreError) || !error.transient) throw error
    }
  }
}

/** Reserves, settles and gives back under each id, in two of its periods; each batch is sent twice at once. */
async function worked(store: Store, number: number, periods: readonly number[], tally: Tally): Promise<void> {
  const random = seededRandom(number)
  const joined = await store.join('test')
  const period = periods[number % periods.length] ?? 0
  const policy = { ...initial, kind: 'window', limit: LIMIT, endsAt: period + 86_400_000, keepUntil: null } as const
  let seq = 0
  for (let at = 0; at < IDS; at += 1) {
    const id = `id ${at}`
    const entries = [entry({ key: 'a', period, policy }), entry({ key: 'b', period, policy })]
    const remember = { id, as: 'reservation', ttlMs: wholeBetween(random, 0, 1) * 60_000, onExpire: 'capture' } as const
    const takes: Take[] = [
      { need: [[0, 1]], n: 1 },
      {
        need: [
          [at % 2, 5],
          [1 - (at % 2), 5],
        ],
        n: 1,
        first: true,
        remember,
      },
    ]
    const settle: ReservationChange = {
      op: 'settle',
      key: at % 3 === 0 ? 'a' : 'b',
      id,
      units: wholeBetween(random, 0, 9),
    }
    const refund: ReservationChange = { ...settle, op: 'refund' }
    for (const parts of [
      { entries, takes },
      { changes: [settle] },
      { changes: [refund] },
      { entries: [entry({ key: 'a', period, policy })] },
    ]) {
      const sent = batch(joined, (seq += 1), parts)
      const answers = await Promise.all([certain(store, sent), certain(store, sent)])
      expect(answers.map(({ kind }) => kind).toSorted()).toEqual(['applied', 'replayed'])
      const [answer] = answers
      if (answer.kind === 'applied' || answer.kind === 'replayed') tally.add(id, answer)
    }
  }
}

describe.skipIf('reason' in server)('reservations under contention on Postgres', () => {
  it.each([true, false])(
    'R1, R4, I2, L1, L2: owners that use the same ids at once get one outcome for each, and the books balance (fast path: %s)',
    async (fastPath) => {
      const schema = newSchema()
      const periods = [Date.now() - 3_600_000, Date.now() - 1_800_000]
      const tally = new Tally()
      const stores = Array.from({ length: OWNERS }, () => storeOn(pool, { schema, fastPath, upkeepEveryMs: 5 }))
      await Promise.all(stores.map((store, number) => worked(store, number, periods, tally)))
      const { granted, settled, refunded } = tally.firsts
      const once = (answers: readonly (readonly number[])[]): number[] => answers.map(({ length }) => length)
      expect(granted).toEqual(Array.from({ length: IDS }, () => 1))
      expect(once(settled)).toEqual(granted)
      expect(once(refunded)).toEqual(granted)
      const [store] = stores
      const rows = (await store?.list({ limit: 99 }))?.rows.map(({ budget }) => budget) ?? []
      expect(rows.reduce((sum, { used }) => sum + used, 0)).toBe(tally.used)
      expect(rows.map(({ reserved }) => reserved)).toEqual(rows.map(() => 0))
      const { rows: aside } = await pool.query(`select * from (${reservedBy(schema)}) r where charged > 0`)
      expect(aside).toEqual([])
      const deadlocks = await pool.query(
        `select deadlocks::int from pg_stat_database where datname = current_database()`,
      )
      expect(deadlocks.rows).toEqual([{ deadlocks: 0 }])
    },
  )
})
