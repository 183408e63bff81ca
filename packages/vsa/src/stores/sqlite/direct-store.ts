import type { Answer, Batch, RowName } from '../../core/exchange.ts'
import { BATCH_ENTRIES_MAX } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/ledger.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from '../../core/store.ts'
import { Books, type BooksSettings } from './books.ts'
import { loadDriver, type DatabaseConstructor, type DriverName } from './driver.ts'

export const CAPABILITIES: StoreCapabilities = { mayForget: false, batchMax: BATCH_ENTRIES_MAX }

/** The store on the calling thread: every call blocks it until the commit is durable. */
export class DirectStore implements Store {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly #choice: DriverName | DatabaseConstructor | undefined
  readonly #settings: BooksSettings
  readonly #now: () => number
  /** Resolves once the client is loaded; calls keep their order while it is. */
  #books: Promise<Books> | undefined

  constructor(choice: DriverName | DatabaseConstructor | undefined, settings: BooksSettings, now: () => number) {
    this.#choice = choice
    this.#settings = settings
    this.#now = now
  }

  async join(label: string): Promise<Joined> {
    return (await this.#loaded()).join(label)
  }

  async exchange(batch: Batch): Promise<Answer> {
    return (await this.#loaded()).exchange(batch)
  }

  async read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    return (await this.#loaded()).read(names)
  }

  async list(range: ListRange): Promise<ListPage> {
    return (await this.#loaded()).list(range)
  }

  async owners(): Promise<readonly OwnerRow[]> {
    return (await this.#loaded()).owners()
  }

  async close(): Promise<void> {
    // A client that could not be loaded has opened nothing; whoever asked for it has been told.
    const books = await this.#books?.catch(() => undefined)
    books?.close()
  }

  #loaded(): Promise<Books> {
    this.#books ??= this.#load()
    return this.#books
  }

  async #load(): Promise<Books> {
    try {
      return new Books(await loadDriver(this.#choice), this.#settings, this.#now)
    } catch (error) {
      // It may be installed by the next call.
      this.#books = undefined
      throw error
    }
  }
}
