import type { Clock } from '../core/clock.ts'

/** What is done with an engine that is still open when its process ends. */
export interface ExitingEngine {
  /** What an exit would lose now, in words; null where it would lose nothing. */
  unsaved(): string | null
  /** Makes everything durable and returns every lease. The engine stays open. */
  save(): Promise<void>
  /** Closes the engine, which leaves the set of open ones at once. */
  close(): Promise<void>
}

/** The events of the process. */
export interface ExitEvents {
  on(event: 'beforeExit' | 'exit', listener: () => void): unknown
  off(event: 'beforeExit' | 'exit', listener: () => void): unknown
}

/** A process that goes on has turned its event loop for longer than this, in ms, when it comes to an end again. */
const GOING_ON_MS = 5

/**
 * Saves and closes the engines that are open when nothing keeps the process alive any more. One listener for all of them, while there are any,
 * and no engine is kept from being collected.
 *
 * In two steps, because some hosts (AWS Lambda) go on after `beforeExit`, with the next request. First the engines are saved, and stay open.
 * When the event loop has nothing to do right after that, the process is at its end, and they are closed.
 */
export class NaturalExit {
  readonly #events: ExitEvents
  readonly #clock: Clock
  readonly #engines = new Set<WeakRef<ExitingEngine>>()
  readonly #collected: FinalizationRegistry<WeakRef<ExitingEngine>> = new FinalizationRegistry((ref) => this.#drop(ref))
  /** Engines that were saved just now, or could not be. */
  readonly #saved = new WeakSet<ExitingEngine>()
  readonly #onBeforeExit = (): void => this.#end()
  readonly #onExit = (): void => this.#warn()

  /** @param clock of the machine: the process ends in its time */
  constructor(events: ExitEvents, clock: Clock) {
    this.#events = events
    this.#clock = clock
  }

  /** @returns call it when the engine is closed */
  add(engine: ExitingEngine): () => void {
    if (this.#engines.size === 0) {
      this.#events.on('beforeExit', this.#onBeforeExit)
      this.#events.on('exit', this.#onExit)
    }
    const ref = new WeakRef(engine)
    this.#engines.add(ref)
    this.#collected.register(engine, ref, ref)
    return () => {
      this.#collected.unregister(ref)
      this.#drop(ref)
    }
  }

  #drop(ref: WeakRef<ExitingEngine>): void {
    this.#engines.delete(ref)
    if (this.#engines.size > 0) return
    this.#events.off('beforeExit', this.#onBeforeExit)
    this.#events.off('exit', this.#onExit)
  }

  #open(): readonly ExitingEngine[] {
    return [...this.#engines].flatMap((ref) => ref.deref() ?? [])
  }

  #end(): void {
    for (const engine of this.#open()) {
      if (this.#saved.has(engine)) engine.close().catch(warnOf)
      else this.#save(engine).catch(warnOf)
    }
  }

  async #save(engine: ExitingEngine): Promise<void> {
    // The close, which tries again, says what could not be saved.
    await engine.save().catch(() => undefined)
    this.#saved.add(engine)
    this.#clock.timer(GOING_ON_MS, () => this.#saved.delete(engine))
    // One more turn of the event loop: without one, `beforeExit` is not raised again.
    this.#clock.soon(() => undefined)
  }

  /** `process.exit()`, or an error that nothing caught: nothing can be sent any more. */
  #warn(): void {
    for (const engine of this.#open()) {
      const unsaved = engine.unsaved()
      if (unsaved !== null)
        console.warn(`vsa: the process exits without close: ${unsaved}. Await vsa.close() before process.exit().`)
    }
  }
}

/** What an exit without a close loses, in words; null for nothing. */
export function unsavedText(lost: {
  /** Counters with additions that were not sent. */
  readonly counters: number
  /** Units given back that were not sent. */
  readonly refunds: number
  readonly leasedUnits: number
}): string | null {
  const parts = [
    lost.counters > 0 ? `the additions to ${lost.counters} counter${lost.counters === 1 ? '' : 's'} are lost` : null,
    lost.refunds > 0 ? `${lost.refunds} units that were given back are lost` : null,
    lost.leasedUnits > 0 ? `a lease of ${lost.leasedUnits} units burns` : null,
  ].filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join(', ')
}

function warnOf(error: unknown): void {
  console.warn(
    'vsa: not everything was saved at the end of the process:',
    error instanceof Error ? error.message : error,
  )
}
