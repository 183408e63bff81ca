import { invariant } from '../../core/errors.ts'
import type { ListedRow, Store } from '../../core/store.ts'
import type { ConformanceOptions, Expectation, MakeStore, StoreUnderTest, TestRunner } from './runner.ts'
import { TestOwner } from './test-owner.ts'

/** Store time at first: the middle of a minute, an hour, a day and a month. */
const START = Date.UTC(2025, 4, 14, 12, 34, 30)
/** Rows a page when all are listed: few, so that every test turns pages. */
const PAGE_ROWS = 7
const OWN_TIME_WAIT_MAX_MS = 1_000

/** Registers one test of the suite. */
export type Test = (title: string, body: (scene: Scene) => Promise<void>, options?: TestOptions) => void

export interface TestOptions {
  /** How long the test passes time at most. A store with a time of its own leaves out tests that are too long. Default 0. */
  readonly passesMs?: number
  /** Default 10,000. */
  readonly leaseTtlMs?: number
  /** How long the test may run. Default: the runner's. */
  readonly timeoutMs?: number
}

/** What a test sees: a fresh store, two handles onto it, and time. */
export interface Scene {
  readonly store: Store
  /** The same data, as another process has it. */
  readonly other: Store
  readonly expect: (actual: unknown) => Expectation
  /** Lets store time pass. */
  pass(ms: number): Promise<void>
  /** Sets the clock that the store reads, forwards or back. Only where time is injected. */
  jump(ms: number): void
  /** A new epoch, on `store` unless another handle is given. */
  owner(handle?: Store): Promise<TestOwner>
  /** Every row, page by page. */
  rows(): Promise<readonly ListedRow[]>
}

/** A `Test` that makes a store for each body, checks the trial balance behind it, and disposes of the store. */
export function testerOf(makeStore: MakeStore, runner: TestRunner, options: ConformanceOptions): Test {
  const isOwnTime = options.time === 'own'
  return (title, body, { passesMs = 0, leaseTtlMs = 10_000, timeoutMs } = {}) => {
    if (isOwnTime && passesMs > OWN_TIME_WAIT_MAX_MS) return
    const run = async (): Promise<void> => {
      const time = isOwnTime ? realTime() : injectedTime()
      const made = await makeStore({ now: time.now, leaseTtlMs })
      try {
        const scene = await sceneOf(made, time, runner)
        await body(scene)
        assertBalanced(await scene.rows())
      } finally {
        await made.dispose()
      }
    }
    if (timeoutMs === undefined) runner.it(title, run)
    else runner.it(title, run, timeoutMs)
  }
}

/** L2: throws, and names the row, unless the books of every row balance. */
export function assertBalanced(rows: readonly ListedRow[]): void {
  for (const { budget, leases } of rows) {
    const { key, period, minted, used, pool, burned } = budget
    // In whole numbers of any size: the sum of units may leave the safe integers.
    const held = leases.reduce((sum, lease) => sum + BigInt(lease.held), 0n)
    const sum = BigInt(used) + BigInt(pool) + BigInt(burned) + held
    invariant(
      BigInt(minted) === sum && [minted, used, burned].every((units) => Number.isSafeInteger(units) && units >= 0),
      `L2: ${JSON.stringify(key)}, period ${period}: minted ${minted} is not used ${used} + pool ${pool} + burned ${burned} + held ${held}`,
    )
    const epochs = new Set(leases.map((lease) => lease.epoch))
    invariant(
      epochs.size === leases.length && leases.every((lease) => lease.held > 0),
      `a lease of 0 units, or two of one epoch: ${key}`,
    )
  }
}

/** Every row that the store lists, by pages of `pageRows`. */
export async function allRows(store: Store, pageRows: number = PAGE_ROWS): Promise<readonly ListedRow[]> {
  const rows: ListedRow[] = []
  for (;;) {
    const last = rows.at(-1)?.budget
    const range = last === undefined ? {} : { after: { key: last.key, period: last.period } }
    const page = await store.list({ ...range, limit: pageRows })
    rows.push(...page.rows)
    if (page.rows.length < pageRows) return rows
  }
}

interface SceneTime {
  readonly now: () => number
  pass(ms: number): Promise<void>
  jump(ms: number): void
}

function injectedTime(): SceneTime {
  let now = START
  const jump = (ms: number): void => {
    now += ms
  }
  return { now: () => now, jump, pass: async (ms) => jump(ms) }
}

/** The store's clock cannot be moved, so time has to pass: somewhat more of it than asked for, as two clocks never agree. */
function realTime(): SceneTime {
  const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms + 50))
  return {
    now: () => Date.now(),
    pass,
    jump: () => invariant(false, 'a test that sets the clock must be marked as passing time'),
  }
}

async function sceneOf(made: StoreUnderTest, time: SceneTime, runner: TestRunner): Promise<Scene> {
  const { store } = made
  return {
    store,
    other: await made.another(),
    expect: (actual) => runner.expect(actual),
    pass: (ms) => time.pass(ms),
    jump: (ms) => time.jump(ms),
    owner: async (handle = store) => new TestOwner(handle, await handle.join('test')),
    rows: () => allRows(store),
  }
}
