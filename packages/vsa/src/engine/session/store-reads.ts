import type { Clock } from '../../core/clock.ts'
import type { BudgetRow } from '../../core/rows.ts'
import type { RowName } from '../../core/exchange.ts'
import { StoreError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import { isUnits } from '../../core/units.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { asStoreError, timedOut } from './store-health.ts'

export interface StoreReadOptions {
  readonly store: Pick<Store, 'read'>
  readonly clock: Clock
  readonly exchangeTimeoutMs: number
  readonly metrics: Metrics
}

/** Reads rows, each time within a limit. A read changes nothing, so one that fails is made again where it is still needed. */
export class StoreReads {
  readonly #options: StoreReadOptions

  constructor(options: StoreReadOptions) {
    this.#options = options
  }

  /** The rows that exist. @throws StoreError, also when no answer comes in time */
  async rows(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    const { clock, exchangeTimeoutMs, metrics, store } = this.#options
    metrics.reads += 1
    let limit = { cancel: (): void => undefined }
    const late = new Promise<never>((_resolve, reject) => {
      limit = clock.timer(exchangeTimeoutMs, () => reject(timedOut(exchangeTimeoutMs)))
    })
    try {
      return rowsOf(await Promise.race([store.read(names), late]))
    } catch (cause) {
      throw asStoreError(cause)
    } finally {
      limit.cancel()
    }
  }
}

/** Checked before they are relied on: a row that is wrong would deny for as long as it is known. */
function rowsOf(answer: unknown): readonly BudgetRow[] {
  if (Array.isArray(answer) && answer.every(isRow)) return answer
  const message = 'the store answered a read with something else than rows'
  throw new StoreError('store_failed', message, { applied: 'no', transient: true })
}

function isRow(row: unknown): row is BudgetRow {
  if (typeof row !== 'object' || row === null) return false
  const { key, period, minted, used, reserved, pool, burned, limit, version } = row as Partial<BudgetRow>
  const isNamed = typeof key === 'string' && Number.isSafeInteger(period)
  return isNamed && [minted, used, reserved, burned, limit, version].every(isUnits) && Number.isSafeInteger(pool)
}
