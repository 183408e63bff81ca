import { expect, test } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { Answer, Batch } from '../../src/core/exchange.ts'
import { memory } from '../../src/stores/memory/index.ts'
import {
  FAULT_KINDS,
  faultyStore,
  manualClock,
  seededRandom,
  type Fault,
  type FaultyStore,
  type ManualClock,
} from '../../src/testing/index.ts'

interface Line {
  readonly clock: ManualClock
  readonly store: FaultyStore
  /** The batch that adds 1 to the counter `c` as `seq`. */
  readonly add: (seq: number) => Promise<Answer>
  /** The counter in the inner store, read without faults. */
  readonly count: () => Promise<number>
}

/** A joined owner on a store whose next exchanges have `faults`. */
async function line(...faults: readonly (Fault | undefined)[]): Promise<Line> {
  const clock = manualClock()
  const inner = memory({ now: () => clock.now() })
  const store = faultyStore(inner, { clock, script: { exchange: faults } })
  const { epoch, token, incarnation } = await store.join('test')
  const batch = (seq: number, add: number): Batch => ({
    epoch,
    token,
    incarnation,
    seq,
    entries: [{ kind: 'counter', key: 'c', add }],
    takes: [],
    close: false,
  })
  const watcher = await inner.join('watcher')
  let looks = 0
  const count = async (): Promise<number> => {
    looks += 1
    const answer = await inner.exchange({ ...batch(looks, 0), epoch: watcher.epoch, token: watcher.token })
    if (answer.kind !== 'applied' || answer.entries[0]?.kind !== 'counter') throw new Error(`unexpected ${answer.kind}`)
    return answer.entries[0].value
  }
  return { clock, store, add: (seq) => store.exchange(batch(seq, 1)), count }
}

/** How a call has ended: the kind of its answer, how far it was applied when it failed, or `waiting`. */
async function endOf(clock: ManualClock, call: Promise<Answer>): Promise<string> {
  let end = 'waiting'
  call.then(
    (answer) => (end = answer.kind),
    (error: unknown) => (end = error instanceof StoreError ? `failed, applied: ${error.applied}` : String(error)),
  )
  await clock.settle()
  return end
}

test('without faults every call passes, and only calls are counted', async () => {
  const { clock, store, add, count } = await line()
  expect(await endOf(clock, add(1))).toBe('applied')
  expect(await count()).toBe(1)
  expect(store.calls).toEqual({ join: 1, exchange: 1, upkeep: 0, delete: 0, read: 0, list: 0, owners: 0 })
  expect(Object.values(store.faults).every((times) => times === 0)).toBe(true)
})

test('a lost request is never applied or answered; the next call passes', async () => {
  const { clock, store, add, count } = await line({ kind: 'lost_request' })
  expect(await endOf(clock, add(1))).toBe('waiting')
  expect(await count()).toBe(0)
  expect(await endOf(clock, add(1))).toBe('applied')
  expect(store.faults.lost_request).toBe(1)
})

test('L3: a lost answer was applied; the repeated batch is a replay', async () => {
  const { clock, add, count } = await line({ kind: 'lost_answer' })
  expect(await endOf(clock, add(1))).toBe('waiting')
  expect(await endOf(clock, add(1))).toBe('replayed')
  expect(await count()).toBe(1)
})

test('L3: a duplicate arrives later, behind a newer request, and changes nothing', async () => {
  const { clock, store, add, count } = await line({ kind: 'duplicate', afterMs: 100 })
  expect(await endOf(clock, add(1))).toBe('applied')
  expect(await endOf(clock, add(2))).toBe('applied')
  expect(store.underWay).toBe(1)
  await clock.advance(100)
  expect(store.underWay).toBe(0)
  expect(await count()).toBe(2)
})

test('a late request fails as unknown and arrives behind newer ones', async () => {
  const { clock, add, count } = await line({ kind: 'late', afterMs: 50 })
  expect(await endOf(clock, add(1))).toBe('failed, applied: unknown')
  expect(await count()).toBe(0)
  await clock.advance(50)
  expect(await count()).toBe(1)
  expect(await endOf(clock, add(1))).toBe('replayed')
})

test('a delay holds up the request and its answer separately', async () => {
  const { clock, add, count } = await line({ kind: 'delay', requestMs: 30, answerMs: 20 })
  const call = add(1)
  await clock.advance(29)
  expect(await count()).toBe(0)
  await clock.advance(1)
  expect([await count(), await endOf(clock, call)]).toEqual([1, 'waiting'])
  await clock.advance(20)
  expect(await endOf(clock, call)).toBe('applied')
})

test('an unknown outcome may have been applied; a refusal was not', async () => {
  const { clock, store, add, count } = await line(
    { kind: 'unknown', applied: false },
    { kind: 'unknown', applied: true },
    { kind: 'refused' },
  )
  expect([await endOf(clock, add(1)), await count()]).toEqual(['failed, applied: unknown', 0])
  expect([await endOf(clock, add(1)), await count()]).toEqual(['failed, applied: unknown', 1])
  expect([await endOf(clock, add(2)), await count()]).toEqual(['failed, applied: no', 1])
  expect([store.faults.unknown, store.faults.refused]).toEqual([2, 1])
})

test('a store that dies in the middle of a batch refuses calls until it is back, and loses requests on their way', async () => {
  const { clock, store, add, count } = await line(
    { kind: 'duplicate', afterMs: 10 },
    { kind: 'death', applied: true, downMs: 500 },
  )
  expect(await endOf(clock, add(1))).toBe('applied')
  expect([await endOf(clock, add(2)), await count()]).toEqual(['failed, applied: unknown', 2])
  await clock.advance(499)
  expect(await endOf(clock, add(2))).toBe('failed, applied: no')
  await clock.advance(1)
  expect([await endOf(clock, add(2)), await count()]).toEqual(['replayed', 2])
  expect(store.underWay).toBe(0)
})

test('a store that is cut off refuses or hangs until it is healed', async () => {
  const { clock, store, add } = await line()
  store.cut('refuse')
  expect(await endOf(clock, add(1))).toBe('failed, applied: no')
  store.cut('hang')
  expect(await endOf(clock, add(1))).toBe('waiting')
  store.heal()
  expect(await endOf(clock, add(1))).toBe('applied')
})

test('later changes to a batch have no effect on the request', async () => {
  const { clock, store } = await line({ kind: 'delay', requestMs: 5, answerMs: 0 })
  const { epoch, token, incarnation } = await store.join('other')
  const entries: Batch['entries'][number][] = [{ kind: 'counter', key: 'd', add: 7 }]
  const call = store.exchange({ epoch, token, incarnation, seq: 1, entries, takes: [], close: false })
  entries.pop()
  await clock.advance(5)
  expect((await call).kind).toBe('applied')
  expect(await call).toMatchObject({ entries: [{ kind: 'counter', value: 7 }] })
})

test('faults are injected per method, and drawn by rate: the same seed draws the same ones', async () => {
  const draw = async (seed: number): Promise<Readonly<Record<string, number>>> => {
    const clock = manualClock()
    const rates = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0.1]))
    const inner = memory({ now: () => clock.now() })
    const store = faultyStore(inner, { clock, random: seededRandom(seed), rates, delayMsMax: 5 })
    for (let call = 0; call < 200; call++) {
      store.owners().catch(() => undefined)
      await clock.advance(10)
    }
    store.setRates({})
    store.inject('list', { kind: 'refused' })
    await expect(store.list({ limit: 1 })).rejects.toThrow('injected: list was refused')
    expect(await store.owners()).toEqual([])
    return store.faults
  }
  const faults = await draw(1)
  expect(await draw(1)).toEqual(faults)
  expect(await draw(2)).not.toEqual(faults)
  expect(FAULT_KINDS.filter((kind) => (faults[kind] ?? 0) < 5)).toEqual([])
})
