import { open } from 'vsa'
import { postgres } from 'vsa/postgres'
import { median } from '../measure/median.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { BenchServer } from './server.ts'

/** Longer than a round, so that only the measured flush sends anything. */
const FLUSH_INTERVAL_MS = 600_000
/** Rounds until every lease has grown to `atRisk`: from then on one row is written for each budget. */
const WARM_UP_ROUNDS = 6
const POLICY = { limit: 1_000_000_000, per: 'month', atRisk: 100 } as const

export interface FlushOfSize {
  readonly budgets: number
  readonly fastPathMs: number
  readonly generalPathMs: number
  /** One upsert of as many rows in one statement. */
  readonly upsertMs: number
  readonly balanced: boolean
}

/** Flushes of that many changed budgets on each path, in turns with one upsert of as many rows of a table of four columns. */
export async function flush(server: BenchServer, budgets: number, rounds: number): Promise<FlushOfSize> {
  const lanes = await Promise.all([true, false].map((fastPath) => Lane.begin(server, budgets, fastPath)))
  const upsert = new Upsert(server, budgets)
  await upsert.begin()
  const upsertMs: number[] = []
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const ms = await timed(() => upsert.run())
    for (const lane of lanes) await lane.run(round >= 0)
    if (round >= 0) upsertMs.push(ms)
  }
  const balanced = await Promise.all(lanes.map((lane) => lane.end()))
  const [fast, general] = lanes.map((lane) => median(lane.ms))
  return {
    budgets,
    fastPathMs: fast ?? Number.NaN,
    generalPathMs: general ?? Number.NaN,
    upsertMs: median(upsertMs),
    balanced: balanced.every(Boolean) && (await upsert.used()) === budgets * (rounds + WARM_UP_ROUNDS),
  }
}

class Lane {
  readonly ms: number[] = []
  readonly #server: BenchServer
  readonly #schema: string
  readonly #vsa: ReturnType<typeof open>
  readonly #handles: readonly { tryAdmit(): boolean; admit(): Promise<boolean> }[]
  #admitted = 0

  private constructor(server: BenchServer, budgets: number, fastPath: boolean) {
    this.#server = server
    this.#schema = `flush_${budgets}_${fastPath ? 'fast' : 'general'}`
    const store = postgres(server.pool, { schema: this.#schema, fastPath })
    this.#vsa = open({ store, flushIntervalMs: FLUSH_INTERVAL_MS })
    const family = this.#vsa.budgets('tenants', POLICY)
    this.#handles = Array.from({ length: budgets }, (_, index) => family.of(String(index)))
  }

  static async begin(server: BenchServer, budgets: number, fastPath: boolean): Promise<Lane> {
    const lane = new Lane(server, budgets, fastPath)
    lane.#admitted = (await Promise.all(lane.#handles.map((handle) => handle.admit()))).filter(Boolean).length
    await lane.#vsa.flush()
    return lane
  }

  async run(isMeasured: boolean): Promise<void> {
    for (const handle of this.#handles) if (handle.tryAdmit()) this.#admitted += 1
    const ms = await timed(() => this.#vsa.flush())
    if (isMeasured) this.ms.push(ms)
  }

  /** @returns whether the books balance */
  async end(): Promise<boolean> {
    await this.#vsa.close()
    return isBalanced(await totalsOf(postgres(this.#server.pool, { schema: this.#schema })), this.#admitted)
  }
}

class Upsert {
  readonly #server: BenchServer
  readonly #table: string
  readonly #values: readonly unknown[]

  constructor(server: BenchServer, rows: number) {
    this.#server = server
    this.#table = `upsert_${rows}`
    this.#values = [Array.from({ length: rows }, (_, row) => `tenants:${row}`), Array.from({ length: rows }, () => 1)]
  }

  async begin(): Promise<void> {
    const columns = 'key text primary key, used bigint not null, pool bigint not null, held bigint not null'
    await this.#server.pool.query(`create table ${this.#table} (${columns}) with (fillfactor = 70)`)
  }

  async run(): Promise<void> {
    await this.#server.pool.query(
      `insert into ${this.#table} select * from unnest($1::text[], $2::bigint[], $2::bigint[], $2::bigint[]) on conflict (key) do update
set used = ${this.#table}.used + excluded.used, pool = excluded.pool, held = excluded.held`,
      [...this.#values],
    )
  }

  async used(): Promise<number> {
    const { rows } = await this.#server.pool.query<{ used: string }>(`select sum(used) used from ${this.#table}`)
    return Number(rows[0]?.used)
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}
