import { describe, expect, test } from 'vitest'
import type { Budget, Counter, DurableReserve, Family, Vsa } from '../../src/index.ts'
import { read } from '../house/repository.ts'
import { bench } from './fixture.ts'

/* L7: what each call costs. docs/policies.md has the same table. */

interface Costs {
  readonly vsa: Vsa
  /** Durable, with 1,000 units. */
  readonly credits: Budget
  /** Durable, with 100 units. */
  readonly plan: Budget
  /** All of its 1,000 units are leased. */
  readonly leased: Budget
  readonly over: Counter
  readonly family: Family
}

interface Row {
  /** As in the table. */
  readonly call: string
  readonly storeCalls: number
  readonly records: number
  /** Before the call is counted. */
  readonly first?: (costs: Costs) => unknown
  readonly work: (costs: Costs) => unknown
}

const CREDITS = { initial: 1_000 } as const
const PLAN = { limit: 100, per: 'month', atRisk: 0 } as const
const kept = (id: string): DurableReserve => ({ id, ttlMs: 60_000, onExpire: 'return' })
const many = (call: (at: number) => Promise<unknown>): Promise<unknown> =>
  Promise.all(Array.from({ length: 100 }, (_, at) => call(at)))

const both = ({ plan, credits }: Costs) =>
  [
    [plan, 5],
    [credits, 5],
  ] as const
const sources = ({ plan, credits, over }: Costs) => [plan, credits, over] as const
const reserve = ({ credits }: Costs): unknown => credits.reserve(10, kept('call'))

const ROWS: readonly Row[] = [
  {
    call: '100 `admit` from a lease, and the flush',
    ...{ storeCalls: 1, records: 1 },
    work: async ({ vsa, leased }) => {
      await many(() => leased.admit())
      await vsa.flush()
    },
  },
  {
    call: '100 `admit` at once, durable',
    ...{ storeCalls: 1, records: 1 },
    work: ({ credits }) => many(() => credits.admit()),
  },
  {
    call: '100 `admit` at once, each with an `id`',
    ...{ storeCalls: 1, records: 101 },
    work: ({ credits }) => many((at) => credits.admit(1, { id: `call ${at}` })),
  },
  {
    call: '`admit` with an `id` again',
    ...{ storeCalls: 1, records: 0 },
    first: ({ credits }) => credits.admit(5, { id: 'call' }),
    work: ({ credits }) => credits.admit(5, { id: 'call' }),
  },
  {
    call: '`admitAll` over 2 budgets with an `id`',
    ...{ storeCalls: 1, records: 3 },
    work: (costs) => costs.vsa.admitAll(both(costs), { id: 'call' }),
  },
  {
    call: '`refund` without an `id`, and the flush',
    ...{ storeCalls: 1, records: 1 },
    first: ({ credits }) => credits.admit(5),
    work: ({ vsa, credits }) => {
      credits.refund(5)
      return vsa.flush()
    },
  },
  {
    call: '`refund` with an `id`',
    ...{ storeCalls: 1, records: 2 },
    first: ({ credits }) => credits.admit(5, { id: 'call' }),
    work: ({ credits }) => credits.refund(5, { id: 'call' }),
  },
  {
    call: '`refund` with an `id` again',
    ...{ storeCalls: 1, records: 0 },
    first: async ({ credits }) => {
      await credits.admit(5, { id: 'call' })
      await credits.refund(5, { id: 'call' })
    },
    work: ({ credits }) => credits.refund(5, { id: 'call' }),
  },
  { call: '`reserve` with an `id`', storeCalls: 1, records: 2, work: reserve },
  { call: '`reserve` with an `id` again', storeCalls: 1, records: 0, first: reserve, work: reserve },
  {
    call: '`reserve` with an `id`, refused',
    ...{ storeCalls: 1, records: 0 },
    work: ({ credits }) => credits.reserve(1_001, kept('call')),
  },
  {
    call: '`meter`',
    ...{ storeCalls: 0, records: 0 },
    first: reserve,
    work: ({ credits }) => credits.reservation('call').meter(5),
  },
  {
    call: '`extend` to more units',
    ...{ storeCalls: 1, records: 2 },
    first: reserve,
    work: ({ credits }) => credits.reservation('call').extend({ units: 20 }),
  },
  {
    call: '`extend` to a later end',
    ...{ storeCalls: 1, records: 1 },
    first: reserve,
    work: ({ credits }) => credits.reservation('call').extend({ ttlMs: 120_000 }),
  },
  {
    call: '`settle`, `cancel` with an `id`',
    ...{ storeCalls: 1, records: 2 },
    first: reserve,
    work: ({ credits }) => credits.reservation('call').settle(5),
  },
  {
    call: '`settle` again, by another process',
    ...{ storeCalls: 1, records: 0 },
    first: async (costs) => {
      await reserve(costs)
      await costs.credits.reservation('call').settle(5)
    },
    work: ({ credits }) => credits.reservation('call').settle(5),
  },
  {
    call: '`reserve` and `settle` without an `id`, durable, and the flush',
    ...{ storeCalls: 2, records: 2 },
    work: async ({ vsa, credits }) => {
      const work = await credits.reserve(10)
      await work?.settle(5)
      await vsa.flush()
    },
  },
  {
    call: '`reserveAll` over 2 budgets with an `id`',
    ...{ storeCalls: 1, records: 3 },
    work: (costs) => costs.vsa.reserveAll(both(costs), kept('call')),
  },
  {
    call: '`reserveFirst` with an `id`, from 2 budgets and a counter',
    ...{ storeCalls: 1, records: 4 },
    work: (costs) => costs.vsa.reserveFirst(sources(costs), 1_200, kept('call')),
  },
  {
    call: '`admitFirst` from 2 budgets and a counter',
    ...{ storeCalls: 1, records: 3 },
    work: (costs) => costs.vsa.admitFirst(sources(costs), 1_200),
  },
  {
    call: '`admitFirst` from a lease, and the flush',
    ...{ storeCalls: 1, records: 1 },
    work: async ({ vsa, leased, over }) => {
      await vsa.admitFirst([leased, over], 10)
      await vsa.flush()
    },
  },
  {
    call: '`setPolicy`',
    ...{ storeCalls: 3, records: 1 },
    first: ({ plan }) => plan.admit(5),
    work: ({ plan }) => plan.setPolicy({ ...PLAN, limit: 200 }),
  },
  {
    call: '`refresh`, the same policy',
    ...{ storeCalls: 0, records: 0 },
    first: ({ family }) => family.of('ann').admit(),
    work: ({ family }) => family.refresh('ann'),
  },
  {
    call: '`reset`',
    ...{ storeCalls: 1, records: 1 },
    first: ({ credits }) => credits.admit(5),
    work: ({ credits }) => credits.reset(),
  },
  { call: '`mint`', storeCalls: 1, records: 1, work: ({ credits }) => credits.mint(5, { id: 'invoice' }) },
  { call: '`delete`', storeCalls: 1, records: 0, work: ({ credits }) => credits.delete() },
  { call: '`delete` of what this process leases', storeCalls: 2, records: 0, work: ({ leased }) => leased.delete() },
]

describe('the table of costs in docs/policies.md', () => {
  test.each(ROWS)(
    'L7: costs what it says, and is durable then: $call',
    async ({ storeCalls, records, first, work }) => {
      const { clock, owner } = bench()
      const { vsa, net } = owner()
      const [credits, plan] = [vsa.budget('credits', CREDITS), vsa.budget('plan', PLAN)]
      const leased = vsa.budget('leased', { initial: 1_000, atRisk: 1_000 })
      const costs = { vsa, credits, plan, leased, over: vsa.counter('over'), family: vsa.budgets('user', () => PLAN) }
      await vsa.ready()
      leased.tryAdmit(1_000)
      await Promise.all([credits.admit(0), plan.admit(0)])
      await first?.(costs)
      await vsa.flush()
      const sent = (): number => net.calls.join + net.calls.exchange + net.calls.read + net.calls.delete
      const before = { calls: sent(), records: vsa.stats().records }
      await work(costs)
      await clock.settle()
      expect([sent() - before.calls, vsa.stats().records - before.records]).toEqual([storeCalls, records])
      // It is durable now: a flush has nothing to write.
      await vsa.flush()
      expect(vsa.stats().records - before.records).toBe(records)
    },
  )

  test('L7: 100 reservations at once are one store call, and so are 100 settlements', async () => {
    const { vsa } = bench().owner()
    const credits = vsa.budget('credits', CREDITS)
    await credits.admit()
    const costOf = async (work: Promise<unknown>): Promise<readonly number[]> => {
      const before = vsa.stats()
      await work
      return [vsa.stats().exchanges - before.exchanges, vsa.stats().records - before.records]
    }
    expect(await costOf(many((at) => credits.reserve(1, kept(`call ${at}`))))).toEqual([1, 101])
    expect(await costOf(many((at) => credits.reservation(`call ${at}`).settle(1)))).toEqual([1, 101])
  })

  test('L7: has a line for each call that is counted here, with the same figures', () => {
    const lines = [
      ...read('docs/policies.md').matchAll(/^\| (?<call>[^|]+?) +\| [^|]+ \| (?<n>\d+) +\| (?<m>\d+) +\|$/gm),
    ]
    const table = lines.map(({ groups }) => [groups?.['call'], Number(groups?.['n']), Number(groups?.['m'])])
    expect(table).toEqual(ROWS.map(({ call, storeCalls, records }) => [call, storeCalls, records]))
  })
})
