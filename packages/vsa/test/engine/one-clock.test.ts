import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { type Answer, type Batch, type Clock, type Joined, open, type Store, type VsaEvent } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
// The built package: a thread needs JavaScript.
import { sqlite as threaded } from 'vsa/sqlite'
import { faultyStore, manualClock } from '../../src/testing/index.ts'

const MINUTE_MS = 60_000
const paths: string[] = []
afterAll(() => {
  for (const path of paths) for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
})

function newPath(): string {
  const path = join(tmpdir(), `vsa-clock-${randomUUID()}.db`)
  paths.push(path)
  return path
}

/** The store's time when an engine joins it. */
async function timeOf(store: Store): Promise<number> {
  return (await store.join('test')).time
}

describe('an engine that is given a clock, and its store, go by one clock', () => {
  test.each<[string, (clock: Clock) => Store]>([
    ['memory', () => memory()],
    ['a faulty store', (clock) => faultyStore(memory(), { clock })],
    ['sqlite in this thread', () => sqlite(newPath(), { thread: false })],
    ['sqlite on a thread', () => threaded(newPath())],
  ])('a period ends when the clock is advanced: %s', async (_name, makeStore) => {
    const clock = manualClock()
    const events: VsaEvent[] = []
    const vsa = open({ store: makeStore(clock), clock, onEvent: (event) => events.push(event) })
    const calls = vsa.budget('calls', { limit: 1, per: 'minute' })
    expect([await calls.admit(), await calls.admit()]).toEqual([true, false])
    expect(await calls.decide()).toMatchObject({ period: clock.now(), resetAtMs: clock.now() + MINUTE_MS })
    await clock.advance(MINUTE_MS)
    expect([await calls.admit(), await calls.admit()]).toEqual([true, false])
    expect(await calls.decide()).toMatchObject({ period: clock.now() })
    expect(events.filter(({ type }) => type === 'clock_differs')).toEqual([])
    await vsa.close()
  })

  test('a store with a source of time of its own keeps it, and the difference is reported, once', async () => {
    const clock = manualClock()
    const events: VsaEvent[] = []
    const store = memory({ now: () => clock.now() + MINUTE_MS + 1 })
    const vsa = open({ store, clock, onEvent: (event) => events.push(event) })
    await vsa.ready()
    await clock.settle()
    const differences = events.filter(({ type }) => type === 'clock_differs')
    expect(differences).toMatchObject([{ storeTime: clock.now() + MINUTE_MS + 1, clockTime: clock.now() }])
    expect(JSON.stringify(differences)).toContain('give both one clock')
    await vsa.close()
  })

  test('a store that does not pass the clock on is reported', async () => {
    const clock = manualClock()
    const inner = memory()
    const wrapper: Store = {
      capabilities: inner.capabilities,
      join: (label) => inner.join(label),
      exchange: (batch) => inner.exchange(batch),
      read: (names) => inner.read(names),
      list: (range) => inner.list(range),
      owners: () => inner.owners(),
      close: () => inner.close(),
    }
    const events: VsaEvent[] = []
    const vsa = open({ store: wrapper, clock, onEvent: (event) => events.push(event) })
    await vsa.ready()
    expect(events).toContainEqual(expect.objectContaining({ type: 'clock_differs', clockTime: clock.now() }))
    await vsa.close()
  })

  test('a difference of a minute is not reported, and neither is one from the clock of the machine', async () => {
    const clock = manualClock()
    const events: VsaEvent[] = []
    const onEvent = (event: VsaEvent): unknown => events.push(event)
    const near = open({ store: memory({ now: () => clock.now() - MINUTE_MS }), clock, onEvent })
    const far = open({ store: memory({ now: () => 5 }), onEvent })
    await Promise.all([near.ready(), far.ready()])
    expect(events.map(({ type }) => type)).toEqual(['joined', 'joined'])
    await Promise.all([near.close(), far.close()])
  })
})

describe('lengths of time in a store', () => {
  test.each<[string, () => Store]>([
    ['memory', () => memory()],
    ['sqlite in this thread', () => sqlite(newPath(), { thread: false })],
  ])('S8: are measured by a clock that is never set: %s', async (_name, makeStore) => {
    const clock = manualClock()
    const store = makeStore()
    store.useClock?.(clock)
    const [dead, living] = [await store.join('dead'), await store.join('living')]
    const policy = { kind: 'initial', limit: 5, burnMax: 5, version: 1, endsAt: null, keepUntil: null } as const
    const lease = {
      kind: 'budget',
      key: 'k',
      period: 0,
      known: false,
      policy,
      spent: 0,
      refund: 0,
      hold: 1,
      wantMs: 0,
    } as const
    const exchange = (
      { epoch, token, incarnation }: Joined,
      seq: number,
      entries: Batch['entries'] = [],
    ): Promise<Answer> => store.exchange({ epoch, token, incarnation, seq, entries, takes: [], close: false })
    const stateOfDead = async (): Promise<unknown> =>
      (await store.owners()).find(({ epoch }) => epoch === dead.epoch)?.state
    await exchange(dead, 1, [lease])
    clock.jumpWall(2 * dead.leaseTtlMs)
    await exchange(living, 1)
    // Its epoch has expired, and upkeep is due 100 ms after the last one.
    expect(await stateOfDead()).toBe('open')
    await clock.advance(100)
    await exchange(living, 2)
    expect(await stateOfDead()).toBe('closed')
    await store.close()
  })
})

describe('all engines on one store have one clock', () => {
  test.each<[string, () => Store]>([
    ['memory', () => memory()],
    ['sqlite in this thread', () => sqlite(newPath(), { thread: false })],
    ['sqlite on a thread', () => threaded(newPath())],
  ])('another clock is refused by name, the same one is accepted: %s', async (_name, makeStore) => {
    const [clock, other] = [manualClock(), manualClock()]
    const store = makeStore()
    const first = open({ store, clock })
    const second = open({ store, clock })
    expect(() => open({ store, clock: other })).toThrow(
      new TypeError(
        'options.clock must be the clock of the store, which goes by that of another engine: ' +
          'open all engines on it with one clock, or give the store its own `now`',
      ),
    )
    await Promise.all([first.close(), second.close()])
    expect(await timeOf(store)).toBe(clock.now())
    await store.close()
  })

  test.each<[string, () => Store]>([
    ['memory', () => memory()],
    ['sqlite on a thread', () => threaded(newPath())],
  ])('a clock that comes after the first use is refused: %s', async (_name, makeStore) => {
    const store = makeStore()
    await timeOf(store)
    expect(() => open({ store, clock: manualClock() })).toThrow(/which goes by the machine's: open all engines/)
    await store.close()
  })

  test('a store with a source of its own serves engines with different clocks', async () => {
    const store = memory({ now: () => 1_000_000 })
    const onEvent = (): void => undefined
    const engines = [manualClock(), manualClock()].map((clock) => open({ store, clock, onEvent }))
    await Promise.all(engines.map((vsa) => vsa.ready()))
    expect(await timeOf(store)).toBe(1_000_000)
    await Promise.all(engines.map((vsa) => vsa.close()))
  })
})
