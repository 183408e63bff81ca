import type { Awaitable } from './adapter.ts'
import { caught } from './awaitable.ts'
import { StoreError } from './errors.ts'

/** The most attempts of a transaction after version conflicts. */
export const TRIES_MAX = 100

/** Upkeep failed before the exchange began, which was surely not applied. */
export function notApplied(upkeep: () => Awaitable<void>): Awaitable<void> {
  return caught(upkeep, (error) => {
    if (!(error instanceof StoreError)) throw error
    const { code, message, transient } = error
    throw new StoreError(code, message, { applied: 'no', transient, cause: error })
  })
}

export function contended(): StoreError {
  const message = `the rows were changed by others each time, ${TRIES_MAX} times in a row; the same call is sent again`
  return new StoreError('store_busy', message, { applied: 'no', transient: true })
}
