import type { Clock } from '../../core/clock.ts'
import type { StoreError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import { called } from './store-call.ts'
import { asStoreError } from './store-health.ts'

const RETRY_MS = 100

/** What it is asked of, and for whom. */
export interface VersionCall {
  readonly store: Pick<Store, 'join' | 'exchange'>
  readonly clock: Clock
  /** Of the owner that takes the number, for display. */
  readonly label: string
  /** Whether the caller still waits. */
  readonly waits: () => boolean
  readonly noteError: (error: StoreError) => void
}

/**
 * P1: the next number of the store's epoch sequence. It is above that of every process that runs, and below that of every process that starts later.
 * An owner of its own takes it, and ends at once: it holds nothing.
 * @throws StoreError where the store fails for good, and where the caller waits no more
 */
export async function versionFrom({ store, clock, label, waits, noteError }: VersionCall): Promise<number> {
  for (;;) {
    try {
      const { epoch, token, incarnation } = await called(() => store.join(label))
      const nothing = { seq: 1, entries: [], takes: [], close: true }
      // Where its end does not arrive, the owner is forgotten in time.
      called(() => store.exchange({ epoch, token, incarnation, ...nothing })).catch(() => undefined)
      return epoch
    } catch (cause) {
      const error = asStoreError(cause)
      noteError(error)
      if (!error.transient || !waits()) throw error
    }
    await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve))
  }
}
