import { VsaStore, type VsaStoreOptions } from '../../src/express-rate-limit/index.ts'
import type { Vsa } from '../../src/index.ts'
import type { Processes } from '../drop-ins/fixture.ts'

export const MINUTE_MS: number = 60_000
export const DAY_MS: number = 86_400_000

/** A store that a limiter uses. */
export function storeOf(
  { now }: Processes,
  vsa: Vsa,
  limiter: { windowMs?: number; limit?: unknown } = {},
  options: VsaStoreOptions = {},
): VsaStore {
  const store = new VsaStore(vsa, { now, ...options })
  store.init({ windowMs: MINUTE_MS, limit: 5, ...limiter })
  return store
}

/** Many at once. */
export async function hits(store: VsaStore, key: string, count: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, async () => store.increment(key)))
  return answers.map(({ totalHits }) => totalHits)
}

/** One after the other. */
export async function inTurn(store: VsaStore, key: string, count: number): Promise<number[]> {
  const totals: number[] = []
  for (let hit = 0; hit < count; hit += 1) totals.push((await store.increment(key)).totalHits)
  return totals
}

export function letThrough(totals: readonly number[], limit: number): number {
  return totals.filter((totalHits) => totalHits <= limit).length
}
