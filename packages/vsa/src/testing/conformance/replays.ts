import { addTo, entryOf, initialOf, takeOf, windowOf } from './entries.ts'
import type { Test } from './scene.ts'
import { applied, budgetAnswer } from './test-owner.ts'

/** S2: what becomes of a batch that was sent before, out of turn, or by an epoch that has ended. */
export function testReplays(test: Test): void {
  test('S2, L3: a repeated batch changes nothing and is answered as before in every particular', async (scene) => {
    const { expect, other } = scene
    const owner = await scene.owner()
    await owner.apply({
      entries: [entryOf('a', { policy: initialOf(100), hold: 30 }), entryOf('b', { policy: initialOf(5) })],
    })
    const batch = owner.next({
      entries: [
        entryOf('a', { known: true, spent: 12, refund: 4, hold: 25 }),
        entryOf('b', { known: true, mint: { units: 7, id: 'm' } }),
        addTo('c', -3),
        entryOf('lost', { known: true }),
      ],
      takes: [takeOf(0, 5, 3), takeOf(1, 4, 9)],
    })
    const first = applied(await owner.send(batch), 'applied')
    // a: 100 minted, lease 30 - 12, used 12 - 4, pool 74; takes: 3 of 5 leave 59; the lease grows by 7.
    expect(budgetAnswer(first, 0)).toMatchObject({ minted: 100, used: 23, pool: 52, held: 25, refunded: 4 })
    expect(budgetAnswer(first, 1)).toMatchObject({ minted: 12, used: 12, pool: 0, held: 0, mint: 'minted' })
    expect(first.entries.slice(2)).toEqual([{ kind: 'counter', value: -3, overflow: false }, { kind: 'row_lost' }])
    expect(first.granted).toEqual([3, 3])
    const rows = await scene.rows()
    expect({ ...first, kind: 'replayed' }).toEqual(strip(first, applied(await owner.send(batch), 'replayed')))
    expect({ ...first, kind: 'replayed' }).toEqual(strip(first, applied(await other.exchange(batch), 'replayed')))
    expect(await scene.rows()).toEqual(rows)
  })

  test('S2, S7: a replay tells the rows as they are now, and what its own seq was granted then', async (scene) => {
    const { expect } = scene
    const [one, two] = [await scene.owner(), await scene.owner(scene.other)]
    const batch = one.next({ entries: [entryOf('a', { policy: initialOf(10) })], takes: [takeOf(0, 2, 2)] })
    await one.send(batch)
    await two.apply({ entries: [entryOf('a', { known: true, hold: 3 })], takes: [takeOf(0, 1)] })
    const replay = applied(await one.send(batch), 'replayed')
    expect(replay.granted).toEqual([2])
    expect(budgetAnswer(replay, 0)).toMatchObject({ used: 5, pool: 2, held: 0, others: 1, othersHeld: 3 })
  })

  test('S2: what the rows cannot tell is kept: a conflict, an overflow, a refund, a row that was not made', async (scene) => {
    const { expect } = scene
    const owner = await scene.owner()
    await owner.apply({
      entries: [
        entryOf('a', { policy: initialOf(9), mint: { units: 1, id: 'm' } }),
        addTo('c', Number.MAX_SAFE_INTEGER),
      ],
      takes: [takeOf(0, 6)],
    })
    const batch = owner.next({
      entries: [
        entryOf('a', { known: true, refund: 8, mint: { units: 2, id: 'm' } }),
        addTo('c', 1),
        entryOf('w', { period: owner.time - 200_000, policy: windowOf(5, owner.time - 100_000) }),
        { kind: 'void' },
      ],
    })
    const answer = applied(await owner.send(batch), 'applied')
    expect(answer.entries).toMatchObject([
      { kind: 'budget', refunded: 6, used: 0, pool: 10, mint: 'id_conflict' },
      { kind: 'counter', value: Number.MAX_SAFE_INTEGER, overflow: true },
      { kind: 'period_closed' },
      { kind: 'void' },
    ])
    expect(applied(await owner.send(batch), 'replayed').entries).toEqual(answer.entries)
  })

  test('S2: an older seq is stale, one from the future is lost, and both change nothing', async (scene) => {
    const { expect } = scene
    const owner = await scene.owner()
    const old = owner.next({ entries: [entryOf('a', { policy: initialOf(10) })], takes: [takeOf(0, 1)] })
    await owner.send(old)
    await owner.apply({ entries: [entryOf('a', { known: true })], takes: [takeOf(0, 1)] })
    const rows = await scene.rows()
    expect((await owner.send(old)).kind).toEqual('stale')
    expect((await owner.send({ ...old, seq: 4 })).kind).toEqual('lost')
    expect((await owner.send({ ...old, seq: Number.MAX_SAFE_INTEGER })).kind).toEqual('lost')
    expect(await scene.rows()).toEqual(rows)
    const fresh = await scene.owner()
    expect((await fresh.send({ ...old, epoch: fresh.epoch, seq: 2 })).kind).toEqual('lost')
  })

  test('S2: an epoch that the store never gave is fenced, and nothing is known of it', async (scene) => {
    const owner = await scene.owner()
    const batch = {
      ...owner.next({ entries: [entryOf('a', { policy: initialOf(10), hold: 10 })] }),
      epoch: owner.epoch + 1,
    }
    scene.expect(await owner.send(batch)).toMatchObject({ kind: 'fenced', last: null })
    scene.expect(await scene.rows()).toEqual([])
  })

  test('S2, O5: an ended epoch is fenced with its last seq and what became of that', async (scene) => {
    const { expect } = scene
    const owner = await scene.owner()
    const last = owner.next({
      entries: [entryOf('a', { policy: initialOf(5), mint: { units: 2, id: 'm' } })],
      takes: [takeOf(0, 3, 4)],
      close: true,
    })
    const answer = applied(await owner.send(last), 'applied')
    expect(answer.granted).toEqual([2])
    const rows = await scene.rows()
    const told = {
      seq: 1,
      outcome: { granted: [2], notes: { 0: { refunded: 0, mint: 'minted' } }, written: answer.written },
    }
    for (const seq of [1, 2, 9]) {
      expect(await scene.other.exchange({ ...last, seq })).toMatchObject({ kind: 'fenced', last: told })
    }
    expect(await scene.rows()).toEqual(rows)
  })

  test('S2: epochs only go up, whichever handle joins', async (scene) => {
    const epochs: number[] = []
    for (const handle of [scene.store, scene.other, scene.store]) epochs.push((await scene.owner(handle)).epoch)
    scene.expect(epochs.toSorted((a, b) => a - b)).toEqual(epochs)
    scene.expect(new Set(epochs).size).toEqual(3)
  })
}

/** The second answer without what time alone changes. */
function strip<T extends { readonly time: number; readonly expiresAt: number }>(first: T, second: T): T {
  return { ...second, time: first.time, expiresAt: first.expiresAt }
}
