import type { StoreAdapter } from '../../core/adapter.ts'
import { adaptedStore } from '../../core/adapted-store.ts'
import type { Store } from '../../core/store.ts'
import type { LoseWrites, MakeStore, StoreNeeds } from './runner.ts'

/** Two handles onto the same fresh data. */
export interface OpenStores {
  readonly store: Store
  readonly other: Store
  /** See `StoreUnderTest`. @throws Error where the store has none */
  startLosing: () => Promise<LoseWrites>
  /** Closes both and removes the data. */
  dispose(): Promise<void>
}

/** Makes the store under test. Disposes of it again when its second handle cannot be opened. */
export async function openStores(makeStore: MakeStore, needs: StoreNeeds): Promise<OpenStores> {
  const made = await makeStore(needs)
  try {
    const other = await made.another()
    return {
      store: storeOf(made.store, needs),
      other: storeOf(other, needs),
      startLosing: async () => {
        if (made.startLosing === undefined) throw new TypeError('a store that is tested with forgets has startLosing')
        return made.startLosing()
      },
      dispose: () => made.dispose(),
    }
  } catch (error) {
    await made.dispose()
    throw error
  }
}

/** The one place where what `makeStore` gives becomes the `Store` that the suite calls. An adapter's upkeep is done with every call. */
function storeOf(made: Store | StoreAdapter, { now }: StoreNeeds): Store {
  return 'exchange' in made ? made : adaptedStore(made, { now, upkeepEveryMs: 0 }, newToken)
}

let tokensMade = 0

/** Different for all handles of one run. */
function newToken(): string {
  tokensMade += 1
  return `token ${tokensMade}`
}
