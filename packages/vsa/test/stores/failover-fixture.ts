import { expect, onTestFinished } from 'vitest'
import { type Budget, open, type Vsa } from '../../src/index.ts'
import type { Store } from '../../src/core/store.ts'

/** Both servers of a store, of which one follows the other. */
export interface Pair {
  /** A new handle, on whichever server is the primary. */
  readonly store: (leaseTtlMs: number) => Store
  /** Until the follower has all that was written. */
  synced(): Promise<void>
  /** The follower gets nothing from now on. */
  cutOff(): Promise<void>
  /** The primary ends, and the follower takes its place. */
  promote(): Promise<void>
}

const LEASE_TTL_MS = 3_000
const UNITS = 100
const WAITING = { deadlineMs: 60_000 } as const

/**
 * L1: a follower that lost 50 admissions is promoted. The owner that was answered them comes back: in all, no more than 100 of 100 units are admitted,
 * and none is left over. With a durable budget exactly 100 are.
 */
export async function failOver({ store, synced, cutOff, promote }: Pair, isDurable: boolean): Promise<void> {
  const events: string[] = []
  const [a, b] = [ownerOn(store(LEASE_TTL_MS), events), ownerOn(store(LEASE_TTL_MS), [])]
  const policy = isDurable ? { initial: UNITS, atRisk: 0 } : { initial: UNITS, atRisk: 20 }
  const seat = { a: a.budget('seat', policy), b: b.budget('seat', policy) }
  const before = await admitted(seat.a, 5)
  await a.flush()
  await b.ready()
  await synced()
  await cutOff()
  const lost = await admitted(seat.a, 50)
  await a.flush()
  expect(before + lost).toBe(55)
  await promote()
  const startedAtMs = performance.now()
  const after = await Promise.all([admitted(seat.b, 60), admitted(seat.a, 60)])
  expect(performance.now() - startedAtMs).toBeGreaterThan(LEASE_TTL_MS * 0.9)
  const total = before + lost + after[0] + after[1]
  expect(total).toBeLessThanOrEqual(UNITS)
  expect(events.filter((type) => type === 'store_forgot')).toHaveLength(1)
  const { rows } = await store(LEASE_TTL_MS).list({ limit: 9 })
  expect(rows[0]?.budget).toMatchObject({ minted: UNITS, pool: 0 })
  // What was leased and not spent burns, too.
  if (isDurable) expect([total, rows[0]?.budget.used, rows[0]?.budget.burned]).toEqual([UNITS, UNITS - lost, lost])
}

function ownerOn(store: Store, events: string[]): Vsa {
  const vsa = open({ store, flushIntervalMs: 10, onEvent: ({ type }) => events.push(type) })
  onTestFinished(() => vsa.close().catch(() => undefined))
  return vsa
}

/** How many of these single units are admitted. */
async function admitted(budget: Budget, count: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => budget.admit(1, WAITING)))
  return answers.filter(Boolean).length
}
