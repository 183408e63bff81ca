import { Session } from 'node:inspector/promises'
import { pathToFileURL } from 'node:url'

/**
 * Counts work by V8's precise coverage: how often each block of code in a folder was executed. The count depends on the program alone, not on
 * the machine, its load, or the compiler.
 */
export class WorkCounter {
  readonly #session = new Session()
  readonly #prefix: string

  /** @param folder of the modules whose blocks count */
  constructor(folder: string) {
    this.#prefix = pathToFileURL(folder).href
  }

  /** Before the modules are loaded. */
  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** @returns how many blocks `work` executed */
  async count(work: () => unknown): Promise<number> {
    await this.#take()
    await work()
    return this.#take()
  }

  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  /** Reads the counts and sets them back to 0. */
  async #take(): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    let blocks = 0
    for (const { url, functions } of result) {
      if (!url.startsWith(this.#prefix)) continue
      for (const { ranges } of functions) for (const { count } of ranges) blocks += count
    }
    return blocks
  }
}
