import type { Settings } from '../api/settings.ts'
import { versionFrom, type VersionWait } from '../session/version-from.ts'

export type PolicyVersionSettings = Pick<Settings, 'store' | 'clock' | 'label' | 'exchangeTimeoutMs'>

/** Changes that were asked for in one turn, each of another budget, and the number that all of them get. */
interface Gathering {
  readonly keys: Set<string>
  readonly waiting: VersionWait[]
  /** Earlier changes of the same budgets: the later change has the higher number. */
  readonly after: Promise<number>[]
  readonly version: Promise<number>
}

/**
 * P1: the numbers of changed policies. Changes of one turn share a number, because a number costs a join and an owner row: 1,000 tenants are changed by
 * one. Two changes of the same budget have two, so that the later one counts.
 */
export class PolicyVersions {
  readonly #settings: PolicyVersionSettings
  #gathering: Gathering | null = null
  /** Without a number yet. */
  readonly #open = new Set<Gathering>()

  constructor(settings: PolicyVersionSettings) {
    this.#settings = settings
  }

  /** @throws StoreError see `versionFrom` */
  async next(key: string, wait: VersionWait): Promise<number> {
    const present = this.#gathering
    const gathering = present === null || present.keys.has(key) ? this.#gather() : present
    for (const earlier of this.#open) if (earlier.keys.has(key)) gathering.after.push(earlier.version)
    gathering.keys.add(key)
    gathering.waiting.push(wait)
    return gathering.version
  }

  /** The number is asked for after this turn. */
  #gather(): Gathering {
    const waiting: VersionWait[] = []
    const { clock } = this.#settings
    const turn = new Promise<void>((resolve) => clock.soon(resolve))
    const after: Promise<number>[] = []
    const version = turn
      .then(() => {
        if (this.#gathering === gathering) this.#gathering = null
        return Promise.allSettled(after)
      })
      .then(() => this.#ask(waiting))
      .finally(() => this.#open.delete(gathering))
    const gathering: Gathering = { keys: new Set(), waiting, after, version }
    this.#gathering = gathering
    this.#open.add(gathering)
    return gathering
  }

  async #ask(waiting: readonly VersionWait[]): Promise<number> {
    const { store, clock, label, exchangeTimeoutMs } = this.#settings
    return versionFrom({
      ...{ store, clock, label: `${label} (policy)`, timeoutMs: exchangeTimeoutMs },
      waits: () => waiting.some((one) => one.waits()),
      noteError: (error) => {
        for (const one of waiting) one.noteError(error)
      },
    })
  }
}
