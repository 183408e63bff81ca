import { BATCH_ENTRIES_MAX } from '../../core/exchange.ts'
import { addTo, entryOf, initialOf, takeOf } from './entries.ts'
import type { Scene, Test } from './scene.ts'
import { applied } from './test-owner.ts'

const ODD_KEYS: readonly string[] = [
  ' ',
  '0',
  '\0',
  'a\0b',
  'a',
  'A',
  'á',
  'a\u0301',
  "'; DROP TABLE budgets; --",
  '"`\\%_',
  '{}',
  '[1,2]:3',
  'tenant:7:calls',
  '🦀',
  '\uFFFD',
  '\uFFFF',
  '\n\r\t',
  '__proto__',
  'x'.repeat(1_024),
  '🦀'.repeat(512),
]

/** Keys, amounts and batches at their limits, counters, and reading. */
export function testBounds(test: Test): void {
  test('scenario 19: any well-formed key is a budget, a counter and a mint of its own', async (scene) => {
    const { expect } = scene
    const owner = await scene.owner()
    const budgets = ODD_KEYS.map((key, index) =>
      entryOf(key, { policy: initialOf(index), mint: { units: 100, id: key }, hold: 1 }),
    )
    const counters = ODD_KEYS.map((key, index) => addTo(key, -index))
    const batch = owner.next({ entries: [...budgets, ...counters] })
    const answer = applied(await owner.send(batch), 'applied')
    expect(answer.entries.slice(0, ODD_KEYS.length)).toMatchObject(
      ODD_KEYS.map((_, index) => ({ kind: 'budget', minted: 100 + index, held: 1, mint: 'minted' })),
    )
    expect(applied(await scene.other.exchange(batch), 'replayed').entries).toEqual(answer.entries)
    const listed = await scene.rows()
    expect(new Set(listed.map(({ budget }) => budget.key))).toEqual(new Set(ODD_KEYS))
    expect(listed.length).toEqual(ODD_KEYS.length)
    for (const [index, key] of ODD_KEYS.entries()) {
      expect(await scene.store.read([{ key, period: 0 }])).toMatchObject([{ key, minted: 100 + index }])
      expect((await scene.store.list({ key, limit: 5 })).rows).toMatchObject([
        { budget: { key }, leases: [{ key, held: 1 }] },
      ])
    }
  })

  test('units, counters and periods of 2^53 - 1 go in and come out exactly', async (scene) => {
    const max = Number.MAX_SAFE_INTEGER
    const owner = await scene.owner()
    const answer = await owner.apply({
      entries: [
        entryOf('a', { policy: initialOf(max), hold: max }),
        entryOf('far', { period: max - 1, hold: 0, known: true }),
        addTo('up', max),
        addTo('down', -max),
      ],
    })
    scene
      .expect(answer.entries)
      .toMatchObject([
        { held: max, pool: 0, minted: max, limit: max },
        { kind: 'row_lost' },
        { value: max, overflow: false },
        { value: -max, overflow: false },
      ])
    scene
      .expect(await owner.row(entryOf('a', { known: true, spent: max, refund: max })))
      .toMatchObject({ used: 0, pool: max, refunded: max })
    scene
      .expect((await owner.apply({ entries: [addTo('up', 1), addTo('down', -1), addTo('up2', 0)] })).entries)
      .toEqual([
        { kind: 'counter', value: max, overflow: true },
        { kind: 'counter', value: -max, overflow: true },
        { kind: 'counter', value: 0, overflow: false },
      ])
  })

  test('S6: a counter adds from all owners, and one that would overflow keeps its value', async (scene) => {
    const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
    const add = async (owner: typeof one, n: number): Promise<unknown> =>
      (await owner.apply({ entries: [addTo('c', n)] })).entries[0]
    await add(one, 40)
    scene.expect(await add(two, -50)).toEqual({ kind: 'counter', value: -10, overflow: false })
    scene.expect(await add(one, Number.MIN_SAFE_INTEGER)).toEqual({ kind: 'counter', value: -10, overflow: true })
    scene.expect(await add(two, 0)).toEqual({ kind: 'counter', value: -10, overflow: false })
    scene.expect((await one.apply({ entries: [addTo('c', 0)] })).written).toEqual({ records: 0, leaseRecords: 0 })
  })

  test('a batch carries 1,000 entries and 1,000 runs of takes, and is repeated whole', testFullBatch, {
    timeoutMs: 30_000,
  })

  test('a batch of 1,001 entries, or of 1,001 runs, is refused whole', async (scene) => {
    const owner = await scene.owner()
    const many = Array.from({ length: BATCH_ENTRIES_MAX + 1 }, (_, index) =>
      entryOf(`k${index}`, { policy: initialOf(1) }),
    )
    const runs = many.map(() => takeOf(0, 1))
    for (const parts of [{ entries: many }, { entries: many.slice(0, 1), takes: runs }]) {
      const refused = await owner.send({ ...owner.again(parts), seq: 1 }).then(
        () => 'answered',
        () => 'refused',
      )
      scene.expect(refused).toEqual('refused')
    }
    scene.expect(await scene.rows()).toEqual([])
    scene.expect((await owner.apply({})).kind).toEqual('applied')
  })

  test('read gives rows as they are and changes nothing; a row that is not there is absent', async (scene) => {
    const owner = await scene.owner()
    await owner.apply({ entries: [entryOf('a', { policy: initialOf(10), hold: 3 })], takes: [takeOf(0, 2)] })
    const rows = await scene.rows()
    const read = await scene.other.read([
      { key: 'a', period: 0 },
      { key: 'a', period: 1 },
      { key: 'b', period: 0 },
    ])
    scene.expect(read).toEqual(rows.map(({ budget }) => budget))
    scene
      .expect(read)
      .toMatchObject([{ key: 'a', period: 0, kind: 'initial', minted: 10, used: 2, pool: 5, burned: 0, limit: 10 }])
    scene.expect(await scene.store.read([])).toEqual([])
    scene.expect(await scene.rows()).toEqual(rows)
  })

  test('list gives every row once, in (key, period) order whatever the page, with the leases on it', testListing)

  test('owners lists every epoch that is remembered', async (scene) => {
    const one = await scene.owner()
    const two = await scene.owner(scene.other)
    await one.apply({ close: true })
    const owners = (await scene.store.owners()).toSorted((a, b) => a.epoch - b.epoch)
    scene.expect(owners).toMatchObject([
      { epoch: one.epoch, label: 'test', state: 'closed', seq: 1 },
      { epoch: two.epoch, label: 'test', state: 'open', seq: 0, leaseTtlMs: two.leaseTtlMs },
    ])
  })

  test('a closed store opens again on the next join, with everything in it; close is idempotent', async (scene) => {
    const owner = await scene.owner()
    await owner.apply({ entries: [entryOf('a', { policy: initialOf(10) })], takes: [takeOf(0, 2)] })
    await scene.store.close()
    await scene.store.close()
    scene.expect(await (await scene.owner(scene.other)).row(entryOf('a'))).toMatchObject({ used: 2 })
    const again = await scene.owner()
    scene.expect(again.epoch > owner.epoch).toEqual(true)
    scene.expect(await again.row(entryOf('a'))).toMatchObject({ used: 2, pool: 8 })
  })
}

async function testFullBatch(scene: Scene): Promise<void> {
  const { expect } = scene
  const owner = await scene.owner()
  const indexes = Array.from({ length: BATCH_ENTRIES_MAX }, (_, index) => index)
  const batch = owner.next({
    entries: indexes.map((index) => entryOf(`k${index}`, { policy: initialOf(index), hold: 2 })),
    takes: indexes.map((index) => ({
      need: [
        [index, 3],
        [(index + 1) % BATCH_ENTRIES_MAX, 1],
      ],
      n: 2,
    })),
  })
  const answer = applied(await owner.send(batch), 'applied')
  // Row i gives 3 to run i and 1 to run i - 1, which comes first but for row 0, whose neighbour is the last to ask.
  expect(answer.granted.slice(0, 8)).toEqual([0, 0, 0, 1, 1, 1, 1, 2])
  expect(answer.granted.reduce((sum, granted) => sum + granted, 0)).toEqual(4 + 2 * 992)
  const again = applied(await scene.other.exchange(batch), 'replayed')
  expect(again.granted).toEqual(answer.granted)
  expect(again.entries).toEqual(answer.entries)
}

async function testListing(scene: Scene): Promise<void> {
  const { expect } = scene
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const names = ['b', 'a', 'c'].flatMap((key) => [30, 4, 0].map((period) => ({ key, period })))
  const entries = names.map(({ key, period }) => entryOf(key, { period, policy: initialOf(10), hold: 2 }))
  await one.apply({ entries })
  await two.apply({ entries: entries.slice(0, 4) })
  const whole = (await scene.store.list({ limit: 10_000 })).rows
  expect(whole.map(({ budget }) => `${budget.key}${budget.period}`)).toEqual(
    ['a', 'b', 'c'].flatMap((key) => [0, 4, 30].map((period) => `${key}${period}`)),
  )
  expect(await scene.rows()).toEqual(whole)
  const leased = whole[5]?.leases.toSorted((a, b) => a.epoch - b.epoch)
  expect(leased).toEqual([one, two].map(({ epoch }) => ({ key: 'b', period: 30, epoch, held: 2 })))
  expect((await scene.other.list({ key: 'a', limit: 2 })).rows).toEqual(whole.slice(0, 2))
  expect((await scene.store.list({ key: 'a', after: { key: 'a', period: 0 }, limit: 9 })).rows).toEqual(
    whole.slice(1, 3),
  )
  expect((await scene.store.list({ after: { key: 'b', period: 5 }, limit: 1 })).rows).toEqual(whole.slice(5, 6))
  expect((await scene.store.list({ key: 'no', limit: 9 })).rows).toEqual([])
}
