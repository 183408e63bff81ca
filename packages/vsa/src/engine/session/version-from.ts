import type { Clock } from '../../core/clock.ts'
import type { StoreError } from '../../core/errors.ts'
import type { Joined, Store } from '../../core/store.ts'
import { called } from './store-call.ts'
import { asStoreError, timedOut } from './store-health.ts'

const RETRY_MS = 100

/** Who waits for a number. */
export interface VersionWait {
  /** Whether the caller still waits. */
  readonly waits: () => boolean
  readonly noteError: (error: StoreError) => void
}

/** What it is asked of, and for whom. */
export interface VersionCall extends VersionWait {
  readonly store: Pick<Store, 'join' | 'exchange'>
  readonly clock: Clock
  /** Of the owner that takes the number, for display. */
  readonly label: string
  /** An answer that has not come by then is lost. */
  readonly timeoutMs: number
}

/**
 * P1: the next number of the store's epoch sequence. It is above that of every process that runs, and below that of every process that starts later.
 * An owner of its own takes it, and ends at once: it holds nothing. Where the answer is lost, another one takes the next number.
 * @throws StoreError where the store fails for good, and where the caller waits no more
 */
export async function versionFrom(call: VersionCall): Promise<number> {
  const { clock, waits, noteError } = call
  for (;;) {
    try {
      return (await joined(call)).epoch
    } catch (cause) {
      const error = asStoreError(cause)
      noteError(error)
      if (!error.transient || !waits()) throw error
    }
    await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve))
  }
}

/** The owner ends as soon as the answer has come, also one that comes late: it holds nothing. */
async function joined({ store, clock, label, timeoutMs }: VersionCall): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const late = clock.timer(timeoutMs, () => reject(timedOut(timeoutMs)))
    called(() => store.join(label))
      .then((owner) => {
        resolve(owner)
        return called(() => store.exchange(closing(owner)))
      })
      // Of the join. Where the end of the owner does not arrive, it is forgotten in time.
      .catch(reject)
      .finally(() => late.cancel())
  })
}

function closing({ epoch, token, incarnation }: Joined): Parameters<Store['exchange']>[0] {
  return { epoch, token, incarnation, seq: 1, entries: [], takes: [], close: true }
}
