import type { Answer, Batch, RowName } from '../../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../../core/rows.ts'
import type { Caller } from '../../../core/standing.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from '../../../core/store.ts'
import type { Clock } from '../../../core/clock.ts'
import { WallTime } from '../../../core/wall-time.ts'
import { CAPABILITIES } from '../adapter.ts'
import { assertPageLimit } from '../list.ts'
import { MACHINE, nowOf, TickedTime } from '../shared-time.ts'
import { packBatch, unpackAnswer } from './packing.ts'
import { StoreThread } from './store-thread.ts'
import type { ThreadSettings } from './wire.ts'

/**
 * The store on its own thread, so that no commit blocks the event loop. The thread starts at the first call, and again at the
 * first call after `close` or after its death.
 */
export class ThreadStore implements Store {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly #settings: ThreadSettings
  readonly #wall: WallTime
  /** The time of an engine's clock, for the thread; null while it goes by its own or the machine's. */
  #time: TickedTime | null = null
  #thread: StoreThread | undefined
  #closing: Promise<unknown> = Promise.resolve()

  constructor(settings: ThreadSettings) {
    this.#settings = settings
    this.#wall = new WallTime(settings.time === null ? undefined : nowOf(settings.time), MACHINE)
  }

  useClock(clock: Clock): void {
    if (this.#wall.useClock(clock)) this.#time ??= new TickedTime(this.#wall.now)
  }

  async join(label: string): Promise<Joined> {
    return this.#running().call('join', label)
  }

  async exchange(batch: Batch): Promise<Answer> {
    return unpackAnswer(await this.#running().call('exchange', packBatch(batch)))
  }

  async upkeep({ epoch, token, seq }: Caller): Promise<number | null> {
    return this.#running().call('upkeep', { epoch, token, seq })
  }

  async delete(key: string): Promise<boolean> {
    return this.#running().call('delete', key)
  }

  async read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    return this.#running().call('read', names)
  }

  async list(range: ListRange): Promise<ListPage> {
    assertPageLimit(range.limit)
    return this.#running().call('list', range)
  }

  async owners(): Promise<readonly OwnerRow[]> {
    return this.#running().call('owners', null)
  }

  /** Answers the calls under way, closes the file and ends the thread. Later calls start a new thread. */
  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    if (thread !== undefined) this.#closing = Promise.all([this.#closing, thread.close()])
    await this.#closing
  }

  #running(): StoreThread {
    this.#wall.fix()
    this.#time?.tick()
    if (this.#thread?.isAlive !== true) {
      const time = this.#time === null ? this.#settings.time : { buffer: this.#time.buffer }
      this.#thread = new StoreThread({ ...this.#settings, time })
    }
    return this.#thread
  }
}
