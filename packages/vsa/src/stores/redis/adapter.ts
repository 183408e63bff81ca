import type {
  DeletionRows,
  Exchanged,
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  StoreLife,
  StoreTime,
  SweepRows,
  UpkeepBounds,
  UpkeepRows,
} from '../../core/adapter.ts'
import type { Writes } from '../../core/written-rows.ts'
import { assertBatch } from '../../core/assert-batch.ts'
import type { Batch, RowName } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from '../../core/store.ts'
import { leapMaxOf, StoreClock } from '../../core/store-clock.ts'
import type { RedisArgument, RedisClient } from './client.ts'
import { deletionArguments, deletionFrom, listNames } from './deletion.ts'
import { storeChanging, storeDamaged, storeMissing } from './errors.ts'
import { exchangedFrom, isPlain } from './fast-path.ts'
import { listBudgets, listOwners, readBudgets } from './list.ts'
import { exchangeArguments, exchangeFrom } from './load.ts'
import { incarnationOf, lifeOf } from './life.ts'
import { Loaded } from './loaded.ts'
import { plainBytes } from './plain-bytes.ts'
import { list, text } from './rows.ts'
import { checkServer, warningOf, type Safety } from './safety.ts'
import { save } from './save.ts'
import { EXCHANGE } from './scripts/exchange.ts'
import { LOAD_EXCHANGE, LOAD_JOIN } from './scripts/load-exchange.ts'
import { LOAD_DELETION } from './scripts/load-deletion.ts'
import { LOAD_UPKEEP } from './scripts/load-upkeep.ts'
import { LOAD_SWEEP } from './scripts/load-sweep.ts'
import { OPEN } from './scripts/open.ts'
import { SAVE } from './scripts/save.ts'
import type { Script } from './scripts/script.ts'
import { Session } from './session.ts'
import { stateFrom, type StoreState } from './state.ts'
import { sweepFrom } from './sweep.ts'
import { upkeepArguments, upkeepFrom } from './upkeep.ts'

/** R5: a script of this many entries, of whatever kind, runs for less than 5 ms. */
const BATCH_MAX = 250

export interface AdapterSettings {
  readonly prefix: string
  readonly leaseTtlMs: number
  readonly strict: boolean
  readonly fastPath: boolean
  /** Makes the generation of new data: a text that is never made again. */
  readonly newGeneration: () => string
  /** Gets one text about what the server may forget. */
  readonly warn: (warning: string) => void
  /** The time for the scripts, ms since 1970, in tests. Default: the server's own. */
  readonly now?: () => number
}

/**
 * The rows of one store in Redis. A load reads them with one script; `save` writes them with another one, if all of them still have the bytes that
 * were loaded.
 */
export class RedisAdapter implements StoreAdapter {
  readonly capabilities: StoreCapabilities = { batchMax: BATCH_MAX }
  readonly leaseTtlMs: number
  readonly #session: Session
  readonly #settings: AdapterSettings
  readonly #clock: StoreClock
  /** The server's clock, as the last load read it. */
  #serverNow = 0
  #ready: Promise<Safety> | undefined
  /** Of the store, as it was last seen. */
  #incarnation = ''
  #wasJoined = false
  #stopListening: (() => void) | undefined

  constructor(client: RedisClient, settings: AdapterSettings) {
    this.#session = new Session(client, settings.prefix, settings.now)
    this.#settings = settings
    this.leaseTtlMs = settings.leaseTtlMs
    this.#clock = new StoreClock(() => this.#serverNow, settings.leaseTtlMs)
  }

  /** Checks the server, and makes the row of the store where there is none. A failed attempt is repeated by the next call. */
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
    if (this.#wasJoined) await this.#checkAgain()
    this.#wasJoined = true
    return this.#snapshot(LOAD_JOIN, [], (_answer, _time, { state }) => ({
      lastEpoch: Number(state.epochs),
      process: null,
    }))
  }

  async loadExchange(batch: Batch): Promise<Snapshot<ExchangeRows>> {
    assertBatch(batch)
    return this.#snapshot(LOAD_EXCHANGE, exchangeArguments(batch), (answer, { time }, loaded, { mayForget }) => {
      return exchangeFrom(answer, batch, { time, mayForget }, loaded)
    })
  }

  async exchangePlain(batch: Batch): Promise<Exchanged | null> {
    if (!this.#settings.fastPath) return null
    assertBatch(batch)
    const { run } = await this.#checked()
    if (!isPlain(batch, this.#incarnation)) return null
    const values = [plainBytes(batch, run)]
    return exchangedFrom(await this.#session.run({ script: EXCHANGE, values, phase: 'save' }), batch)
  }

  loadSweep(max: number): Promise<Snapshot<SweepRows>> {
    return this.#snapshot(LOAD_SWEEP, [String(max)], (answer, _time, loaded) => sweepFrom(answer, loaded))
  }

  loadUpkeep(bounds: UpkeepBounds): Promise<Snapshot<UpkeepRows>> {
    const values = upkeepArguments(bounds, leapMaxOf(this.leaseTtlMs))
    return this.#snapshot(LOAD_UPKEEP, values, (answer, _time, loaded) => upkeepFrom(answer, loaded))
  }

  async loadDeletion(key: string, max: number): Promise<Snapshot<DeletionRows>> {
    const load = (): Promise<Snapshot<DeletionRows | string>> =>
      this.#snapshot(LOAD_DELETION, deletionArguments(key, max), (answer, _time, loaded) =>
        deletionFrom(answer, key, max, loaded),
      )
    const first = await load()
    if (typeof first.rows === 'string') await listNames(this.#session)
    const { rows, ...snapshot } = typeof first.rows === 'string' ? await load() : first
    if (typeof rows === 'string') throw storeDamaged(this.#settings.prefix, rows)
    return { ...snapshot, rows }
  }

  read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    return readBudgets(this.#session, names)
  }

  list(range: ListRange): Promise<ListPage> {
    return listBudgets(this.#session, range)
  }

  owners(): Promise<readonly OwnerRow[]> {
    return listOwners(this.#session)
  }

  /** The client is the user's, and stays as it is. */
  async close(): Promise<void> {
    await this.#ready?.catch(ignore)
    this.#ready = undefined
    this.#wasJoined = false
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  /** Settings of the server may have changed since it was opened: an owner is told what it is when it joins. A refusal is about that owner. */
  async #checkAgain(): Promise<void> {
    const safety = await this.#open()
    this.#ready = Promise.resolve(safety)
  }

  async #open(): Promise<Safety> {
    this.#stopListening ??= this.#session.listen()
    const { prefix, newGeneration, warn } = this.#settings
    const safety = await checkServer(this.#session, this.#settings)
    const generation = newGeneration()
    // F3: a store that was here and is not any more has forgotten everything. Its owners have one lease lifetime to tell what was gone.
    const freezeMs = this.#incarnation === '' ? 0 : this.leaseTtlMs
    const values = [generation, incarnationOf(generation, null, safety), String(freezeMs)]
    const state = stateFrom(await this.#session.run({ script: OPEN, values, phase: 'load' }), prefix)
    if (state === undefined || state.run !== safety.run) throw storeChanging(prefix)
    this.#incarnation = lifeOf(state, safety).incarnation
    if (safety.risks.length > 0) warn(warningOf(prefix, safety))
    return safety
  }

  /** S1: the answer begins with the server's clock and the latest time that was kept. */
  async #snapshot<Rows>(
    script: Script,
    values: readonly RedisArgument[],
    read: (answer: readonly unknown[], at: StoreTime, loaded: Loaded, life: StoreLife) => Rows,
  ): Promise<Snapshot<Rows>> {
    const answer = list(await this.#session.run({ script, values, phase: 'load' }))
    const [head, ...rest] = answer
    const state = this.#known(head)
    const life = lifeOf(state, await this.#safetyOf(state))
    this.#incarnation = life.incarnation
    this.#serverNow = state.now
    const at = this.#clock.read(state.seen)
    const loaded = new Loaded(state)
    const rows = read(rest, at, loaded, life)
    return { ...at, rows, life, save: (writes) => this.#save(writes, loaded), release: () => undefined }
  }

  /** Keys that were all removed make a new store at the next call, where no epoch is known: so its owners are fenced. */
  #known(head: unknown): StoreState {
    const state = stateFrom(head, this.#settings.prefix)
    if (state !== undefined) return state
    this.#ready = undefined
    throw storeMissing(this.#settings.prefix)
  }

  /** After a restart or a failover the server may be another one, which is checked before anything is decided on it. */
  async #safetyOf({ run }: StoreState): Promise<Safety> {
    const known = await this.#checked()
    if (known.run === run) return known
    this.#ready = undefined
    const safety = await this.#checked()
    if (safety.run === run) return safety
    throw storeChanging(this.#settings.prefix)
  }

  async #save(writes: Writes, loaded: Loaded): Promise<boolean> {
    const plan = save(writes, loaded).written(this.#settings.prefix, writes.time, loaded.state)
    const isSaved = text(await this.#session.run({ script: SAVE, ...plan, phase: 'save' })) === 'saved'
    if (isSaved) this.#clock.kept()
    return isSaved
  }
}

/** The call that opened the store has reported it. */
function ignore(): void {}
