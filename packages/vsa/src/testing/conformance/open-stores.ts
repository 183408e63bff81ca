import type { Store } from '../../core/store.ts'
import type { MakeStore, StoreNeeds, StoreUnderTest } from './runner.ts'

/** Two handles onto the same fresh data. */
export interface OpenStores {
  readonly store: Store
  readonly other: Store
  /** Closes both and removes the data. */
  dispose(): Promise<void>
}

/** Makes the store under test. Disposes of it again when its second handle cannot be opened. */
export async function openStores(makeStore: MakeStore, needs: StoreNeeds): Promise<OpenStores> {
  const made = await makeStore(needs)
  try {
    const other = await made.another()
    return { store: storeOf(made.store), other: storeOf(other), dispose: () => made.dispose() }
  } catch (error) {
    await made.dispose()
    throw error
  }
}

/** The one place where what `makeStore` gives becomes the `Store` that the suite calls. */
function storeOf(made: StoreUnderTest['store']): Store {
  return made
}
