import { open, type OpenOptions, type Store, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, type FaultyStore, manualClock, type ManualClock } from '../../src/testing/index.ts'
import { expect } from 'vitest'

/** One store in memory, a clock that stands still, and as many processes as a test opens. */
export interface Processes {
  readonly clock: ManualClock
  readonly now: () => number
  readonly net: FaultyStore
  open(options?: Partial<OpenOptions>): Vsa
  /** The outcome, while time passes: units that another process has leased take a flush interval to come back. */
  passing<T>(work: Promise<T>): Promise<T>
  /** Closes every engine. The books must balance, with so many units used in all, and none burned, held or reserved. */
  close(used: number): Promise<void>
}

export function processes(): Processes {
  const clock = manualClock()
  const books = memory({ now: () => clock.now() })
  const net = faultyStore(books, { clock })
  const engines: Vsa[] = []
  return {
    clock,
    net,
    now: () => clock.now(),
    open: (options = {}) => {
      const vsa = open({ store: net, clock, onEvent: () => undefined, ...options })
      engines.push(vsa)
      return vsa
    },
    passing: async (work) => {
      let isSettled = false
      const settle = (): void => void (isSettled = true)
      work.then(settle, settle)
      for (let step = 0; step < 1_000 && !isSettled; step += 1) await clock.advance(20)
      return work
    },
    close: async (used) => {
      await Promise.all(engines.map((vsa) => vsa.close()))
      expect(await sums(books)).toEqual({ used, burned: 0, held: 0, reserved: 0, missing: 0 })
    },
  }
}

/** Over all rows but those of blocks, which keep times. */
async function sums(store: Store): Promise<Record<'used' | 'burned' | 'held' | 'reserved' | 'missing', number>> {
  const sum = { used: 0, burned: 0, held: 0, reserved: 0, missing: 0 }
  const { rows } = await store.list({ limit: 10_000 })
  for (const { budget, leases } of rows) {
    const held = leases.reduce((total, lease) => total + lease.held, 0)
    sum.missing += budget.minted - budget.used - budget.reserved - budget.pool - budget.burned - held
    if (budget.key.includes('-blocks:')) continue
    sum.used += budget.used
    sum.burned += budget.burned
    sum.reserved += budget.reserved
    sum.held += held
  }
  return sum
}
