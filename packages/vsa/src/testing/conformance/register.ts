import { assertBalanced } from './listed-rows.ts'
import { openStores } from './open-stores.ts'
import type { ConformanceOptions, MakeStore, TestRunner } from './runner.ts'
import { type ConformanceTest, sceneOn } from './scene.ts'
import { injectedTime, realTime, REAL_PASS_MAX_MS } from './suite-time.ts'

const LEASE_TTL_MS = 10_000
/** For tests that wait in real time. */
const REAL_TIMEOUT_MS = 60_000

/** Registers a test that runs on a fresh store. After it, every row must balance (L2). */
export function register(
  test: ConformanceTest,
  makeStore: MakeStore,
  runner: TestRunner,
  options: ConformanceOptions,
): void {
  const isTimeInjected = options.time !== 'own'
  const { title, passesMs = 0 } = test
  if (!isTimeInjected && passesMs > REAL_PASS_MAX_MS) return
  const body = (): Promise<void> => runOn(test, makeStore, runner, isTimeInjected)
  const timeoutMs = isTimeInjected ? test.timeoutMs : REAL_TIMEOUT_MS
  if (timeoutMs === undefined) runner.it(title, body)
  else runner.it(title, body, timeoutMs)
}

async function runOn(
  { run, leaseTtlMs = LEASE_TTL_MS }: ConformanceTest,
  makeStore: MakeStore,
  runner: TestRunner,
  isTimeInjected: boolean,
): Promise<void> {
  const time = isTimeInjected ? injectedTime() : realTime()
  const stores = await openStores(makeStore, { now: time.now, leaseTtlMs: time.ms(leaseTtlMs) })
  try {
    const scene = sceneOn(stores, time, runner)
    await run(scene)
    assertBalanced(await scene.rows())
  } finally {
    await stores.dispose()
  }
}
