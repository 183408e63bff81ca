import type { Contender } from '../contenders/contender.ts'
import type { Workload } from '../workloads/workload.ts'
import { BenchProcess } from './bench-process.ts'
import type { FiguresAt, OpenStretch, Stretch, Told } from './messages.ts'
import type { PlaceOnServer, Servers } from './servers.ts'
import { accountOf, type Account } from './account.ts'

/** The processes of one contender on one store: mostly one. */
export class Fleet {
  readonly contender: Contender
  readonly workload: Workload
  readonly #processes: readonly BenchProcess[]
  readonly #servers: Servers
  readonly #name: string
  #places = 0

  private constructor(
    contender: Contender,
    workload: Workload,
    processes: readonly BenchProcess[],
    servers: Servers,
    name: string,
  ) {
    this.contender = contender
    this.workload = workload
    this.#processes = processes
    this.#servers = servers
    this.#name = name
  }

  /** @param name letters, digits and `_`, not used before */
  static async start(
    contender: Contender,
    workload: Workload,
    servers: Servers,
    { name, processes }: { readonly name: string; readonly processes: number },
  ): Promise<Fleet> {
    const started = Array.from({ length: processes }, () => BenchProcess.start(contender, workload))
    return new Fleet(contender, workload, await Promise.all(started), servers, name)
  }

  /** Opens it on a fresh place in its store. */
  async open(): Promise<void> {
    this.#places += 1
    const place: PlaceOnServer = await this.#servers.place(this.contender.store, `${this.#name}_${this.#places}`)
    // One after the other: the first one makes the tables.
    for (const process of this.#processes) await process.tell({ do: 'open', ...place })
  }

  closedLoop(callers: number, seconds: number, warmUpSeconds: number): Promise<readonly Stretch[]> {
    const command = { do: 'closed-loop', callers, seconds, warmUpSeconds } as const
    return Promise.all(this.#processes.map((process) => process.tell(command)))
  }

  openLoop(rate: number, seconds: number, warmUpSeconds: number): Promise<OpenStretch> {
    return this.#first.tell({ do: 'open-loop', rate, seconds, warmUpSeconds })
  }

  figures(callers: number, seconds: number, everyMs: number): Promise<readonly FiguresAt[]> {
    return this.#first.tell({ do: 'figures', callers, seconds, everyMs })
  }

  async pause(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.tell({ do: 'pause' })))
  }

  /** Closes it, and compares what its callers were told with what its store has. */
  async close(): Promise<Account> {
    const told: Told[] = []
    for (const process of this.#processes) told.push(await process.tell({ do: 'close' }))
    const books = await this.#first.tell({ do: 'books' })
    await Promise.all(this.#processes.map((process) => process.tell({ do: 'end' })))
    return accountOf(this.contender, this.workload, told, books)
  }

  async end(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end()))
  }

  get #first(): BenchProcess {
    const [first] = this.#processes
    if (first === undefined) throw new RangeError('a fleet without processes')
    return first
  }
}
