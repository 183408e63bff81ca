import type { OperationOf } from './operation.ts'
import type { RunContext } from './run-context.ts'
import type { StoreDisk } from './store-disk.ts'
import type { StoreHost } from './store-host.ts'
import type { Timeline } from './timeline.ts'

const TEN_YEARS_MS = 3_653 * 86_400_000

interface Parts {
  readonly context: RunContext
  readonly timeline: Timeline
  readonly host: StoreHost
  readonly disk: StoreDisk
}

/** What happens to the store alone: outages, clocks that are set, and locks of other programs. */
export class StoreFaults {
  readonly #parts: Parts
  /** Clocks of the store or of owners were set. */
  jumps = 0
  #isLocked = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  begin(operation: OperationOf<'outage' | 'lock' | 'leap'>): void {
    switch (operation.kind) {
      case 'outage':
        this.#parts.context.trace(() => `the store is ${operation.how} for ${operation.forMs} ms`)
        return this.#parts.host.fail(operation.how, operation.forMs)
      case 'lock':
        return this.#lock(operation.forMs)
      case 'leap':
        return this.#leap(operation.forMs)
    }
  }

  jump(byMs: number): void {
    const { context } = this.#parts
    this.jumps += 1
    context.trace(() => `the store's clock jumps by ${byMs} ms`)
    context.scenarios.note('5 clock of the store jumps')
    this.#setClock(byMs)
  }

  /** S10: the store is used with a clock that is ten years ahead, for a moment. */
  #leap(forMs: number): void {
    const { context, timeline } = this.#parts
    this.jumps += 2
    context.trace(() => `the store's clock is ten years ahead for ${forMs} ms`)
    this.#setClock(TEN_YEARS_MS)
    timeline.after(forMs, () => this.#setClock(-TEN_YEARS_MS))
  }

  #setClock(byMs: number): void {
    const { context, host } = this.#parts
    host.jump(byMs)
    context.audit.clockSet()
  }

  /** S8: another program holds the store's lock. */
  #lock(forMs: number): void {
    const { context, disk, host, timeline } = this.#parts
    if (this.#isLocked || !disk.lock()) return
    context.trace(() => `the store is locked for ${forMs} ms`)
    this.#isLocked = true
    host.locked()
    timeline.after(forMs, () => this.unlock())
  }

  unlock(): void {
    if (!this.#isLocked) return
    const { context, disk, host } = this.#parts
    this.#isLocked = false
    const waitedMs = host.unlocked()
    context.audit.stoodStill(waitedMs)
    if (waitedMs > context.setting.leaseTtlMs) context.scenarios.note('40 store locked for longer than the lease')
    disk.unlock()
  }
}
