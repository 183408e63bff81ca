import type { PostgresPool } from './pool.ts'

/** How many open stores each pool has. */
const stores = new WeakMap<PostgresPool, number>()

/**
 * Listens to the errors of a pool while a store on it is open: without a listener, an idle connection that breaks ends the process. One listener for
 * all stores of a pool, because Node warns of more than 10.
 * @returns ends it, once
 */
export function ignorePoolErrors(pool: PostgresPool): () => void {
  const open = stores.get(pool) ?? 0
  stores.set(pool, open + 1)
  if (open === 0) pool.on?.('error', ignore)
  let isOn = true
  return () => {
    if (!isOn) return
    isOn = false
    const left = (stores.get(pool) ?? 1) - 1
    stores.set(pool, left)
    if (left === 0) pool.removeListener?.('error', ignore)
  }
}

/** The call that uses a broken connection fails by itself, and says so. */
function ignore(): void {}
