import type {
  DeletionRows,
  Exchanged,
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  SweepRows,
  UpkeepBounds,
  UpkeepRows,
} from '../../core/adapter.ts'
import type { Writes } from '../../core/written-rows.ts'
import { assertBatch } from '../../core/assert-batch.ts'
import { BATCH_ENTRIES_MAX, type Batch, type RowName } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from '../../core/store.ts'
import type { IntentWriter } from '../../core/intent-writer.ts'
import { ONE_INCARNATION } from '../../core/life.ts'
import { notApplied } from '../../core/store-failures.ts'
import { leapMaxOf, StoreClock } from '../../core/store-clock.ts'
import { isUndecided, rowsMoved } from './errors.ts'
import { exchangeCall, exchangedFrom, isPlain } from './fast-path.ts'
import { insertIntent } from './intents.ts'
import { lifeFrom } from './life.ts'
import { listBudgets, listOwners, readBudgets } from './list.ts'
import { nameLiteral } from './literals.ts'
import { NO_LOCKS, type Locked } from './found.ts'
import { exchangeFrom, namesIn } from './load.ts'
import { deletionFrom, loadDeletion } from './load-deletion.ts'
import { loadSweep, sweepFrom } from './load-sweep.ts'
import { upkeepFrom } from './load-upkeep.ts'
import type { PostgresPool } from './pool.ts'
import { ignorePoolErrors } from './pool-errors.ts'
import { integer, list } from './rows.ts'
import { readFacts, readServer, refuseRisks, type Safety, safetyOf, type ServerFacts, warningOf } from './safety.ts'
import { save } from './save.ts'
import { ensureSchema } from './schema.ts'
import * as sql from './sql.ts'
import { answerOfCommit, Transaction } from './transaction.ts'

/** O6: an owner that holds leases exchanges as often. */
const LOOKS_PER_LIFETIME = 3

export interface AdapterSettings {
  readonly schema: string
  readonly leaseTtlMs: number
  readonly fastPath: boolean
  readonly strict: boolean
  /** Undefined: as it is read at each join. */
  readonly mayForget: boolean | undefined
  /** Gets one text about what the server may lose. */
  readonly warn: (warning: string) => void
}

interface Loaded<Rows> {
  readonly rows: Rows
  readonly locked: Locked
}

/** Undefined when the locks are not those that the rows need. */
type Read<Rows> = (answer: readonly unknown[], time: number) => Loaded<Rows> | undefined

/** The most attempts of a load whose rows moved. */
const LOADS_MAX = 3

/**
 * The rows of one schema of a Postgres database. A load begins a transaction and locks the rows, in one message; `save` writes them and commits,
 * in another. Both go over one connection of the pool.
 */
export class PostgresAdapter implements StoreAdapter {
  readonly capabilities: StoreCapabilities = { batchMax: BATCH_ENTRIES_MAX }
  readonly leaseTtlMs: number
  readonly intents: IntentWriter
  readonly #pool: PostgresPool
  readonly #schema: string
  /** As it stands in a statement. */
  readonly #name: string
  readonly #hasFastPath: boolean
  readonly #clock: StoreClock
  /** The latest store time that this handle has told. */
  #timeTold = 0
  /** The server's clock, as the last load read it. */
  #serverNow = 0
  readonly #settings: AdapterSettings
  /** A promotion is looked for in each call. Its user may say that it loses nothing. */
  readonly #isWatched: boolean
  /** Owners of this handle may remember (F4), since one of them joined while the server might forget. */
  #mayForget = false
  /** That began after one of them had joined, and the join had told that it may not. */
  #isNews = false
  /** Store time when it was last read what the server is. */
  #judgedAt = 0
  /** Of the store, as it was last seen. */
  #incarnation = ONE_INCARNATION
  #ready: Promise<Safety> | undefined
  #wasOpen = false
  #wasJoined = false
  #stopListening: (() => void) | undefined

  constructor(pool: PostgresPool, settings: AdapterSettings) {
    const { schema, leaseTtlMs, fastPath, mayForget } = settings
    this.#pool = pool
    this.#settings = settings
    this.#schema = schema
    this.#name = nameLiteral(schema)
    this.leaseTtlMs = leaseTtlMs
    this.intents = {
      insert: async (db, intent) => {
        const { text, values } = insertIntent(this.#name, intent)
        await db.executeSql(text, [...values])
      },
    }
    this.#hasFastPath = fastPath
    this.#isWatched = mayForget !== false
    this.#clock = new StoreClock(() => this.#serverNow, leaseTtlMs)
  }

  /** Checks the server, and makes the tables where there are none yet. A failed attempt is repeated by the next call. */
  async ready(): Promise<void> {
    await this.#checked()
  }

  #checked(): Promise<Safety> {
    this.#ready ??= this.#open().catch((error: unknown) => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  async loadJoin(): Promise<Snapshot<JoinRows>> {
    await this.#checkedForJoin()
    const statements = sql.loadJoin(this.#name, this.#isWatched)
    const read: Read<JoinRows> = ([lastEpoch]) => ({
      rows: { lastEpoch: integer(lastEpoch), process: null },
      locked: NO_LOCKS,
    })
    const snapshot = await this.#snapshot(statements, read)
    this.#judgedAt = this.#timeTold
    return snapshot
  }

  async loadExchange(batch: Batch): Promise<Snapshot<ExchangeRows>> {
    assertBatch(batch)
    await notApplied(() => this.#lookForStandby())
    return this.#snapshot(sql.loadExchange(this.#name, namesIn(batch), this.#isWatched), (answer, time) =>
      exchangeFrom(answer, batch, { time, mayForget: this.#mayForget }),
    )
  }

  get mayForget(): boolean {
    return this.#isNews
  }

  async exchangePlain(batch: Batch): Promise<Exchanged | null> {
    if (!this.#hasFastPath) return null
    assertBatch(batch)
    if (!isPlain(batch, this.#incarnation)) return null
    await notApplied(() => this.#lookForStandby())
    const call = exchangeCall(this.#name, batch, this.#timeTold, this.#isWatched)
    const answer = await answerOfCommit(this.#pool, this.#schema, call, isUndecided)
    if (answer === null || answer === undefined) return null
    const exchanged = exchangedFrom(answer, batch)
    this.#timeTold = Math.max(this.#timeTold, exchanged.time)
    return exchanged
  }

  loadSweep(max: number): Promise<Snapshot<SweepRows>> {
    return this.#snapshot(loadSweep(this.#name, max, this.#isWatched), sweepFrom)
  }

  loadUpkeep(bounds: UpkeepBounds): Promise<Snapshot<UpkeepRows>> {
    return this.#snapshot(sql.loadUpkeep(this.#name, bounds, leapMaxOf(this.leaseTtlMs), this.#isWatched), upkeepFrom)
  }

  loadDeletion(key: string, max: number): Promise<Snapshot<DeletionRows>> {
    return this.#snapshot(loadDeletion(this.#name, key, max, this.#isWatched), (answer) =>
      deletionFrom(answer, key, max),
    )
  }

  read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    return readBudgets(this.#pool, this.#schema, names)
  }

  list(range: ListRange): Promise<ListPage> {
    return listBudgets(this.#pool, this.#schema, range)
  }

  owners(): Promise<readonly OwnerRow[]> {
    return listOwners(this.#pool, this.#schema)
  }

  /** The pool is the user's, and stays as it is. */
  async close(): Promise<void> {
    await this.#ready?.catch(ignore)
    this.#ready = undefined
    // After `close`, what is in the database is accepted as the store, also an empty schema.
    this.#wasOpen = false
    this.#wasJoined = false
    this.#mayForget = false
    this.#isNews = false
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  async #open(): Promise<Safety> {
    this.#stopListening ??= ignorePoolErrors(this.#pool)
    const server = await readServer(this.#pool, this.#schema)
    const safety = this.#judged(server)
    await ensureSchema(this.#pool, this.#schema, { hasStore: server.hasStore, mayCreate: !this.#wasOpen })
    this.#wasOpen = true
    return safety
  }

  /** What the server is, may have changed since it was opened: an owner is told what it is when it joins. */
  async #checkedForJoin(): Promise<void> {
    const known = await this.#checked()
    this.#noteRead(this.#wasJoined ? this.#judged(await readServer(this.#pool, this.#schema)) : known)
    this.#wasJoined = true
  }

  #noteRead({ mayForget }: Safety): void {
    if (mayForget && !this.#mayForget && this.#wasJoined) this.#isNews = true
    this.#mayForget ||= mayForget
  }

  /**
   * F4: a standby may be connected while owners go on, who are told by their next answers: those that have joined are not refused. One statement in a third of a lease lifetime of
   * store time.
   */
  async #lookForStandby(): Promise<void> {
    const isAsked = this.#isWatched && this.#settings.mayForget === undefined && !this.#mayForget
    if (!isAsked || this.#timeTold < this.#judgedAt + this.leaseTtlMs / LOOKS_PER_LIFETIME) return
    const safety = safetyOf(await readFacts(this.#pool, this.#schema), this.#settings)
    this.#judgedAt = this.#timeTold
    this.#noteRead(safety)
    if (safety.mayForget) this.#settings.warn(warningOf(this.#schema, safety))
  }

  /** @throws StoreError `store_unsafe` */
  #judged(server: ServerFacts): Safety {
    const { strict, warn } = this.#settings
    const safety = safetyOf(server, this.#settings)
    if (strict) refuseRisks(this.#schema, safety)
    if (safety.risks.length > 0) warn(warningOf(this.#schema, safety))
    return safety
  }

  /** @throws StoreError `store_busy` when other transactions have moved the rows each time; also the errors of the connection */
  async #snapshot<Rows>(statements: string, read: Read<Rows>): Promise<Snapshot<Rows>> {
    for (let tries = 1; tries <= LOADS_MAX; tries += 1) {
      const loaded = await this.#load(statements, read)
      if (loaded !== undefined) return loaded
    }
    throw rowsMoved(this.#schema)
  }

  /** S1: the answer begins with the server's clock, which was read behind the locks, and the latest time that was kept. */
  async #load<Rows>(statements: string, read: Read<Rows>): Promise<Snapshot<Rows> | undefined> {
    const { transaction, answer } = await Transaction.begin(this.#pool, this.#schema, statements)
    try {
      const [serverNow, timeSeen, lifeRead, ...rest] = list(answer)
      const life = lifeFrom(lifeRead, this.#mayForget)
      this.#mayForget ||= life?.mayForget === true
      this.#incarnation = life?.incarnation ?? ONE_INCARNATION
      this.#serverNow = integer(serverNow)
      const at = this.#clock.read(integer(timeSeen))
      this.#timeTold = Math.max(this.#timeTold, at.time)
      const loaded = read(rest, at.time)
      if (loaded === undefined) {
        await transaction.rollBack()
        return undefined
      }
      const { rows, locked } = loaded
      return {
        ...at,
        rows,
        ...(life === undefined ? {} : { life }),
        save: (writes) => this.#save(transaction, writes, locked),
        release: () => transaction.rollBack(),
      }
    } catch (error) {
      await transaction.rollBack()
      throw error
    }
  }

  async #save(transaction: Transaction, writes: Writes, locked: Locked): Promise<boolean> {
    const isSaved = await transaction.commit(() => save(this.#name, writes, locked))
    if (isSaved) this.#clock.kept()
    return isSaved
  }
}

/** The call that opened the store has reported it. */
function ignore(): void {}
