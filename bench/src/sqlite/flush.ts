import { join } from 'node:path'
import Database from 'libsql'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { median } from '../measure/median.ts'
import { DRIVER } from './hand-written.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'

/** Longer than a round, so that only the measured flush sends anything. */
const FLUSH_INTERVAL_MS = 600_000
/** Rounds until every lease has grown to `atRisk`: from then on one row is written for each budget. */
const WARM_UP_ROUNDS = 6
const POLICY = { limit: 1_000_000_000, per: 'month', atRisk: 100 } as const

export interface Flush {
  readonly budgets: number
  readonly rounds: number
  /** One prepared UPDATE for each budget, all in one transaction. */
  readonly bareMs: number
  readonly flushMs: number
  /** The median of the rounds' ratios. */
  readonly ratio: number
  readonly records: number
  /** Of the last round. */
  readonly leaseRecords: number
  readonly statsMs: number
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

/** Flushes of that many changed budgets, in turns with a bare loop of prepared updates of as many rows. */
export async function flush(folder: string, budgets: number, rounds: number): Promise<Flush> {
  const path = join(folder, 'flush.db')
  const vsa = open({ store: sqlite(path, { driver: DRIVER }), flushIntervalMs: FLUSH_INTERVAL_MS })
  const family = vsa.budgets('tenants', POLICY)
  const handles = Array.from({ length: budgets }, (_, index) => family.of(String(index)))
  const bare = new BareLoop(join(folder, 'bare.db'), budgets)
  let admitted = (await Promise.all(handles.map((handle) => handle.admit()))).filter(Boolean).length
  await vsa.flush()
  const bareMs: number[] = []
  const flushMs: number[] = []
  const statsMs: number[] = []
  let written = { records: 0, leaseRecords: 0 }
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const [, bareRoundMs] = await timed(async () => bare.run())
    for (const handle of handles) if (handle.tryAdmit()) admitted += 1
    const [before, statsRoundMs] = await timed(async () => vsa.stats())
    const [, flushRoundMs] = await timed(() => vsa.flush())
    const after = vsa.stats()
    written = { records: after.records - before.records, leaseRecords: after.leaseRecords - before.leaseRecords }
    if (round < 0) continue
    bareMs.push(bareRoundMs)
    flushMs.push(flushRoundMs)
    statsMs.push(statsRoundMs)
  }
  await vsa.close()
  const isBareRight = bare.used() === budgets * (rounds + WARM_UP_ROUNDS)
  bare.close()
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  return {
    budgets,
    rounds,
    bareMs: median(bareMs),
    flushMs: median(flushMs),
    ratio: median(flushMs.map((ms, round) => ms / (bareMs[round] ?? Number.NaN))),
    ...written,
    statsMs: median(statsMs),
    admitted,
    used: totals.used,
    balanced: isBalanced(totals, admitted) && isBareRight,
  }
}

/** The least that a flush by hand would do: one prepared UPDATE for each row, in one transaction. */
class BareLoop {
  readonly #database: Database.Database
  readonly #update: Database.Statement
  readonly #rows: number

  constructor(path: string, rows: number) {
    this.#rows = rows
    this.#database = new Database(path)
    this.#database.exec('PRAGMA journal_mode = WAL')
    this.#database.exec('PRAGMA synchronous = FULL')
    this.#database.exec('CREATE TABLE budget (key TEXT PRIMARY KEY, used INTEGER NOT NULL) STRICT, WITHOUT ROWID')
    this.#update = this.#database.prepare('UPDATE budget SET used = used + ? WHERE key = ?')
    const insert = this.#database.prepare('INSERT INTO budget VALUES (?, 0)')
    this.#database.exec('BEGIN')
    for (let row = 0; row < rows; row += 1) insert.run(`tenants:${row}`)
    this.#database.exec('COMMIT')
  }

  run(): void {
    this.#database.exec('BEGIN IMMEDIATE')
    for (let row = 0; row < this.#rows; row += 1) this.#update.run(1, `tenants:${row}`)
    this.#database.exec('COMMIT')
  }

  used(): number {
    const row: unknown = this.#database.prepare('SELECT sum(used) FROM budget').raw().get()
    return Array.isArray(row) ? Number(row[0]) : Number.NaN
  }

  close(): void {
    this.#database.close()
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const startedAtMs = performance.now()
  const result = await work()
  return [result, performance.now() - startedAtMs]
}
