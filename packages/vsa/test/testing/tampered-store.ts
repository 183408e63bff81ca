import type { RowName } from '../../src/core/exchange.ts'
import { exchangeOn, joinOwner, keepsTime } from '../../src/core/housekeeping.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import type { Store } from '../../src/core/store.ts'
import { StoreClock } from '../../src/core/store-clock.ts'
import { MemoryLedger } from '../../src/stores/memory/ledger.ts'
import { memory } from '../../src/stores/memory/index.ts'
import type { StoreNeeds } from '../../src/testing/index.ts'

/** One planted bug: wrong methods of a ledger, a store or its clock. */
export interface Bug {
  readonly ledger?: (honest: MemoryLedger) => Partial<Ledger>
  readonly store?: (honest: Store) => Partial<Store>
  readonly clock?: (now: () => number) => Pick<StoreClock, 'read' | 'kept'>
}

/** A memory store with a bug in it. */
export function tamperedStore(needs: StoreNeeds, bug: Bug): Store {
  const honest = bug.ledger === undefined && bug.clock === undefined ? memory(needs) : onLedger(needs, bug)
  const { capabilities } = honest
  const base: Store = {
    capabilities,
    join: (label) => honest.join(label),
    exchange: (batch) => honest.exchange(batch),
    read: (names) => honest.read(names),
    list: (range) => honest.list(range),
    owners: () => honest.owners(),
    close: () => honest.close(),
  }
  return { ...base, ...bug.store?.(honest) }
}

function onLedger({ now, leaseTtlMs }: StoreNeeds, bug: Bug): Store {
  const honest = new MemoryLedger()
  const ledger = tampered(honest, bug.ledger?.(honest) ?? {})
  const noneIsGone = (): boolean => false
  const clock = bug.clock?.(now) ?? new StoreClock(now, leaseTtlMs)
  return {
    capabilities: { mayForget: false, batchMax: 1_000 },
    join: async (label) => {
      const joining = { label, leaseTtlMs, process: null }
      const joined = joinOwner(ledger, joining, clock.read(ledger.timeSeen()), noneIsGone)
      clock.kept()
      return joined
    },
    exchange: async (batch) => {
      const answer = exchangeOn(ledger, structuredClone(batch), clock.read(ledger.timeSeen()), noneIsGone)
      if (keepsTime(answer)) clock.kept()
      return structuredClone(answer)
    },
    read: async (names) => names.flatMap(({ key, period }) => honest.budget(key, period) ?? []),
    list: async ({ key, after, limit }) => {
      const isAfter = (row: RowName): boolean =>
        after === undefined || row.key > after.key || (row.key === after.key && row.period > after.period)
      const rows = honest.allBudgets().filter((row) => isAfter(row) && (key === undefined || row.key === key))
      return { rows: rows.slice(0, limit).map((budget) => ({ budget, leases: honest.leasesOn(budget) })) }
    },
    owners: async () => honest.allOwners(),
    close: async () => undefined,
  }
}

/** `honest`, with some of its methods replaced. */
function tampered(honest: MemoryLedger, bugs: Partial<Ledger>): Ledger {
  return new Proxy<Ledger>(honest, {
    get(_, name: keyof Ledger) {
      return bugs[name] ?? honest[name].bind(honest)
    },
  })
}
