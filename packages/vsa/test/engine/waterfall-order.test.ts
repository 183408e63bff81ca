import { array, assert, asyncProperty, constantFrom, nat, oneof, record, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Budget, Source } from '../../src/index.ts'
import { bench, type Bench, FLUSH_MS, type Owner } from './fixture.ts'

/* V1, V2: the first source that can cover is charged, also where its units lie in a lease of this process and not in the store. */

/** What is asked waits for exchanges, and those for the clock. */
async function answered<T>({ clock }: Bench, asked: Promise<T>): Promise<T> {
  let isDone = false
  const done = asked.finally(() => (isDone = true))
  done.catch(() => undefined)
  for (let turn = 0; turn < 200 && !isDone; turn += 1) await clock.advance(turn === 0 ? 0 : 10)
  return done
}

interface Scene extends Bench {
  readonly one: Owner
  readonly plan: Budget
}

/** This process has leased all of a plan of 30, so that the store has none of it. */
async function leasedPlan(): Promise<Scene> {
  const world = bench()
  const one = world.owner()
  const plan = one.vsa.budget('plan', { initial: 30, atRisk: 30, burnMax: 30 })
  await one.vsa.ready()
  plan.tryAdmit(30)
  await world.clock.settle()
  expect((await world.row('plan')).pool).toBe(0)
  return { ...world, one, plan }
}

describe('the first source is leased by this process, and the store has none of it', () => {
  test.each(['credits that are durable', 'leased credits that do not cover the rest', 'an overage'])(
    'V2: then come %s: the lease goes back first, and the plan is charged',
    async (later) => {
      const scene = await leasedPlan()
      const { one, plan } = scene
      const units = later === 'credits that are durable' ? 20 : 40
      const next: Source =
        later === 'an overage'
          ? one.vsa.counter('over')
          : one.vsa.budget('credits', { initial: 50, ...(later.startsWith('leased') && { atRisk: 5 }) })
      const before = one.net.calls.exchange
      const decision = await answered(scene, one.vsa.decideFirst([plan, next], units))
      expect(decision).toMatchObject({ admitted: true })
      const from = decision.admitted ? decision.from?.map(({ key, units: some }) => [key, some]) : undefined
      expect(from).toEqual(units === 20 ? [['plan', 20]] : [['plan', 30], [next.key, 10]]) // oxfmt-ignore
      expect(one.net.calls.exchange - before).toBeLessThanOrEqual(2)
      await one.vsa.close()
      expect(await scene.row('plan')).toMatchObject({ used: Math.min(30, units), pool: 30 - Math.min(30, units) })
    },
  )
})

const KEYS = ['plan', 'rollover', 'credits'] as const
type Key = (typeof KEYS)[number]

const SIZE = 40
const units = nat({ max: 30 }).map((some) => some + 1)
const key = constantFrom(...KEYS)
const calls = array(
  oneof(
    { weight: 4, arbitrary: record({ call: constantFrom('decideFirst' as const), units, overage: nat({ max: 3 }) }) },
    record({ call: constantFrom('tryAdmit' as const, 'admit' as const, 'refund' as const), key, units }),
    record({ call: constantFrom('wait' as const), flushes: nat({ max: 8 }) }),
  ),
  { maxLength: 25 },
)
const risks = tuple(...KEYS.map(() => constantFrom(0, 3, SIZE)))

/** What each source has, and what went over. */
interface Model {
  readonly left: Map<Key | 'over', number>
}

/** V1 by itself: from each what it has, in order; null: they have too little. */
function draw({ left }: Model, wanted: number, hasOverage: boolean): readonly (readonly [string, number])[] | null {
  const from: [Key, number][] = []
  let lacking = wanted
  for (const one of KEYS) {
    const some = Math.min(lacking, left.get(one) ?? 0)
    if (some > 0) from.push([one, some])
    lacking -= some
  }
  if (lacking > 0 && !hasOverage) return null
  for (const [one, some] of from) left.set(one, (left.get(one) ?? 0) - some)
  if (lacking === 0) return from
  left.set('over', (left.get('over') ?? 0) - lacking)
  return [...from, ['over', lacking]]
}

test('V1, V2, L2: one process: each decision is that of a sequential model in which the units of its own leases are there', async () => {
  await assert(
    asyncProperty(risks, calls, async (atRisks, asked) => {
      const world = bench()
      const { vsa } = world.owner()
      const model: Model = { left: new Map(KEYS.map((one) => [one, SIZE])) }
      const budgets = new Map(
        KEYS.map((one, at) => [one, vsa.budget(one, { initial: SIZE, atRisk: atRisks[at] ?? 0, burnMax: SIZE })]),
      )
      const sources: readonly Source[] = [...budgets.values()]
      const over = vsa.counter('over')
      await vsa.ready()
      for (const next of asked) {
        if (next.call === 'wait') await world.clock.advance(next.flushes * FLUSH_MS)
        else if (next.call === 'decideFirst') {
          const hasOverage = next.overage === 0
          const decided = vsa.decideFirst(hasOverage ? [...sources, over] : sources, next.units)
          const decision = await answered(world, decided)
          const from = decision.admitted ? (decision.from ?? []) : null
          expect(from && from.map((share) => [share.key, share.units])).toEqual(draw(model, next.units, hasOverage))
        } else await spend(world, next, budgets, model, atRisks)
      }
      await vsa.close()
      const { rows } = await world.books.list({ limit: 10 })
      for (const { budget } of rows) expect(budget.pool).toBe(model.left.get(budget.key as Key))
    }),
    { numRuns: 60 },
  )
})

async function spend(
  world: Bench,
  {
    call,
    key: name,
    units: some,
  }: { readonly call: 'tryAdmit' | 'admit' | 'refund'; readonly key: Key; readonly units: number },
  budgets: ReadonlyMap<Key, Budget>,
  { left }: Model,
  atRisks: readonly number[],
): Promise<void> {
  const budget = budgets.get(name)
  const has = left.get(name) ?? 0
  if (budget === undefined) return
  if (call === 'refund') {
    const back = Math.min(some, SIZE - has)
    budget.refund(back)
    // What was spent in an exchange comes back with the next one.
    await world.clock.advance(2 * FLUSH_MS)
    left.set(name, has + back)
  } else if (call === 'admit') {
    const isAdmitted = await answered(world, budget.admit(some))
    expect(isAdmitted).toBe(some <= has)
    if (isAdmitted) left.set(name, has - some)
  } else if (atRisks[KEYS.indexOf(name)] !== 0) {
    if (budget.tryAdmit(some)) left.set(name, has - some)
    await world.clock.settle()
  }
}
