import { addTo, entryOf, initialOf } from './entries.ts'
import { seededRandom, wholeBetween } from '../random.ts'
import type { ConformanceTest, Scene } from './scene.ts'
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
  '\0'.repeat(1_024),
  incompressible(853),
]

/** Characters of three bytes that no index can make shorter. */
function incompressible(length: number): string {
  const random = seededRandom(length)
  return Array.from({ length }, () => String.fromCharCode(wholeBetween(random, 0x4e_00, 0x9f_ff))).join('')
}

/** Keys, units and counters at their limits. */
export const valueTests: readonly ConformanceTest[] = [
  {
    title: 'S4: every well-formed key names a budget, a counter and a mint of its own (scenario 19)',
    run: wellFormedKeys,
  },
  { title: 'S6, S7: units, counters and periods of 2^53 - 1 are stored and answered exactly', run: largestUnits },
  {
    title: 'S6: a counter adds up the additions of all owners, and keeps its value when the sum would overflow',
    run: counters,
  },
]

async function wellFormedKeys(scene: Scene): Promise<void> {
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
}

async function largestUnits(scene: Scene): Promise<void> {
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
  scene.expect((await owner.apply({ entries: [addTo('up', 1), addTo('down', -1), addTo('up2', 0)] })).entries).toEqual([
    { kind: 'counter', value: max, overflow: true },
    { kind: 'counter', value: -max, overflow: true },
    { kind: 'counter', value: 0, overflow: false },
  ])
}

async function counters(scene: Scene): Promise<void> {
  const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
  const add = async (owner: typeof one, n: number): Promise<unknown> =>
    (await owner.apply({ entries: [addTo('c', n)] })).entries[0]
  await add(one, 40)
  scene.expect(await add(two, -50)).toEqual({ kind: 'counter', value: -10, overflow: false })
  scene.expect(await add(one, Number.MIN_SAFE_INTEGER)).toEqual({ kind: 'counter', value: -10, overflow: true })
  scene.expect(await add(two, 0)).toEqual({ kind: 'counter', value: -10, overflow: false })
  scene.expect((await one.apply({ entries: [addTo('c', 0)] })).written).toEqual({ records: 0, leaseRecords: 0 })
}
