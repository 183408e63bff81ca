import type { Answer, Batch } from '../../core/exchange.ts'
import type { Store } from '../../core/store.ts'
import type { LogClock } from './log-clock.ts'

/** A store for a replay. The time of the log stands still during its calls, and the units that it leases are added up. */
export interface WatchedStore extends Store {
  /** The most units leased at any one time: what a crash would have burned at worst. */
  readonly leasedMost: number
}

export function watchStore(store: Store, clock: LogClock): WatchedStore {
  const held = new Map<string, number>()
  let leased = 0
  let leasedMost = 0

  const note = (batch: Batch, answer: Answer): void => {
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') return
    for (const [index, entry] of batch.entries.entries()) {
      const row = answer.entries[index]
      if (entry.kind !== 'budget' || row?.kind !== 'budget') continue
      const name = `${entry.period} ${entry.key}`
      leased += row.held - (held.get(name) ?? 0)
      if (row.held === 0) held.delete(name)
      else held.set(name, row.held)
    }
    leasedMost = Math.max(leasedMost, leased)
  }

  return {
    capabilities: store.capabilities,
    get leasedMost() {
      return leasedMost
    },
    join: (label) => clock.during(store.join(label)),
    exchange: (batch) =>
      clock.during(
        store.exchange(batch).then((answer) => {
          note(batch, answer)
          return answer
        }),
      ),
    read: (names) => clock.during(store.read(names)),
    list: (range) => clock.during(store.list(range)),
    owners: () => clock.during(store.owners()),
    close: () => clock.during(store.close()),
  }
}
