import { entryOf, initialOf, takeOf } from './entries.ts'
import type { ConformanceTest, Scene } from './scene.ts'

/** `read`, `list`, `owners` and `close`. */
export const readingTests: readonly ConformanceTest[] = [
  {
    title: 'L6: read answers rows as they are and changes nothing; a row that does not exist is absent',
    run: readChangesNothing,
  },
  {
    title: 'L2: list answers every row once, in (key, period) order and with its leases, whatever the page size',
    run: listInPages,
  },
  { title: 'S2: owners lists every epoch that the store remembers', run: rememberedOwners },
  {
    title: 'S7: a closed store opens again on the next join with all its data, and close is idempotent',
    run: openedAgain,
  },
]

async function readChangesNothing(scene: Scene): Promise<void> {
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
}

async function listInPages(scene: Scene): Promise<void> {
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

async function rememberedOwners(scene: Scene): Promise<void> {
  const one = await scene.owner()
  const two = await scene.owner(scene.other)
  await one.apply({ close: true })
  const owners = (await scene.store.owners()).toSorted((a, b) => a.epoch - b.epoch)
  scene.expect(owners).toMatchObject([
    { epoch: one.epoch, label: 'test', state: 'closed', seq: 1 },
    { epoch: two.epoch, label: 'test', state: 'open', seq: 0, leaseTtlMs: two.leaseTtlMs },
  ])
}

async function openedAgain(scene: Scene): Promise<void> {
  const owner = await scene.owner()
  await owner.apply({ entries: [entryOf('a', { policy: initialOf(10) })], takes: [takeOf(0, 2)] })
  await scene.store.close()
  await scene.store.close()
  scene.expect(await (await scene.owner(scene.other)).row(entryOf('a'))).toMatchObject({ used: 2 })
  const again = await scene.owner()
  scene.expect(again.epoch > owner.epoch).toEqual(true)
  scene.expect(await again.row(entryOf('a'))).toMatchObject({ used: 2, pool: 8 })
}
