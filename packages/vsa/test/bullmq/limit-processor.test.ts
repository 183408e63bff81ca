import { expect, onTestFinished, test } from 'vitest'
import { limitProcessor, type JobLimitOptions, type LimitedJob } from '../../src/bullmq/index.ts'
import { open, type Budget, type OpenOptions, type Policy, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock, type FaultyStore, type ManualClock } from '../../src/testing/index.ts'

/* A job as a worker hands it over. peers/test/bullmq.test.ts has real workers. */

interface Job extends LimitedJob {
  readonly data: { readonly tenant: string }
  /** Timestamps that it was delayed to. */
  readonly delays: number[]
}

interface World {
  readonly clock: ManualClock
  readonly vsa: Vsa
  readonly net: FaultyStore
  readonly budget: Budget
  /** One run of the job, as the worker would see it. */
  run(job: Job, work?: () => unknown): Promise<unknown>
}

function world(policy: Policy, options: Partial<JobLimitOptions<Job>> = {}, more: Partial<OpenOptions> = {}): World {
  const clock = manualClock()
  const net = faultyStore(memory(), { clock })
  const vsa = open({ store: net, clock, onEvent: () => undefined, deadlineMs: 50, ...more })
  onTestFinished(async () => {
    net.heal()
    const closed = vsa.close()
    await clock.advance(10_000)
    await closed
  })
  const budget = vsa.budget('jobs:ada', policy)
  return {
    clock,
    vsa,
    net,
    budget,
    run: (job, work = () => 'done') => {
      const settings = { budget: () => budget, now: () => clock.now(), ...options }
      return limitProcessor(async () => work(), settings)(job, 'lock').catch((error: unknown) => error)
    },
  }
}

let jobs = 0

function newJob(parts: Partial<LimitedJob> = {}): Job {
  jobs += 1
  const delays: number[] = []
  return {
    id: String(jobs),
    queueName: 'mails',
    timestamp: 1_735_689_600_000,
    attemptsMade: 0,
    opts: { attempts: 3 },
    data: { tenant: 'ada' },
    delays,
    moveToDelayed: async (timestamp, token) => {
      expect(token).toBe('lock')
      delays.push(timestamp)
    },
    ...parts,
  }
}

/** The books must balance (L2). */
async function usedOf({ budget }: World): Promise<number> {
  const { minted, used, reserved, remaining, burned } = await budget.peek()
  expect(used + reserved + remaining + burned).toBe(minted)
  return used
}

const fail =
  (name = 'Error') =>
  () => {
    throw Object.assign(new Error('no'), { name })
  }

test('a job that is admitted runs; one that is denied is delayed until the window ends, and does not run', async () => {
  const at = world({ limit: 1, per: 'minute' })
  const [first, second] = [newJob(), newJob()]
  expect(await at.run(first)).toBe('done')
  expect(await at.run(second, () => expect.unreachable())).toMatchObject({ name: 'DelayedError' })
  expect(first.delays).toEqual([])
  const [until = 0] = second.delays
  expect(until - at.clock.now()).toBeGreaterThanOrEqual(60_000)
  expect(until - at.clock.now()).toBeLessThanOrEqual(60_100)
  await at.clock.advance(until - at.clock.now())
  expect(await at.run(second)).toBe('done')
  expect(await usedOf(at)).toBe(1)
})

test('the processor gets the job, the token and the signal, and its result is the result', async () => {
  const { budget } = world({ limit: 1, per: 'minute' })
  const { signal } = new AbortController()
  const job = newJob()
  const processor = limitProcessor(async (...given: unknown[]) => given, { budget: () => budget })
  expect(await processor(job, 'lock', signal)).toEqual([job, 'lock', signal])
})

test('each job is charged its own units', async () => {
  const at = world({ limit: 10, per: 'year' }, { units: (job) => job.data.tenant.length })
  await at.run(newJob())
  expect(await usedOf(at)).toBe(3)
})

test('credits do not come back by themselves: the job waits for `delayMs`, and runs when some were minted', async () => {
  const at = world({ initial: 0 }, { delayMs: 1_234 })
  const job = newJob()
  expect(await at.run(job)).toMatchObject({ name: 'DelayedError' })
  expect(job.delays).toEqual([at.clock.now() + 1_234])
  await at.budget.mint(1, { id: 'invoice' })
  expect(await at.run(job)).toBe('done')
})

test('a job that costs more than the whole limit of a window fails for good, and takes nothing', async () => {
  const at = world({ limit: 3, per: 'minute' }, { units: () => 4 })
  const job = newJob()
  expect(await at.run(job)).toMatchObject({
    name: 'UnrecoverableError',
    message: 'jobs:ada: the job costs 4 units, and the limit is 3',
  })
  expect(job.delays).toEqual([])
  expect(await usedOf(at)).toBe(0)
})

test.each(['throw', 'deny'] as const)(
  'with `%s`, a job whose store cannot be reached is delayed by 5 s',
  async (onStoreUnavailable) => {
    const at = world({ limit: 3, per: 'minute' }, {}, { onStoreUnavailable })
    at.net.cut('refuse')
    const job = newJob()
    const ran = at.run(job, () => expect.unreachable())
    await at.clock.advance(100)
    expect(await ran).toMatchObject({ name: 'DelayedError' })
    // The clock has parts of a ms.
    expect(job.delays).toEqual([expect.closeTo(at.clock.now() - 50 + 5_000, 0)])
  },
)

test.each<readonly [string, Partial<JobLimitOptions<Job>>]>([
  ['cost of NaN', { units: () => Number.NaN }],
  ['cost of 0, which would run free', { units: () => 0 }],
  ['cost of -1', { units: () => -1 }],
  ['cost that is a fraction', { units: () => 0.5 }],
  ['cost that is no number', { units: () => JSON.parse('"1"') as number }],
  ['cost that throws', { units: fail() }],
  ['budget that throws', { budget: fail() }],
  ['budget that is none', { budget: () => JSON.parse('null') as Budget }],
])('a %s fails the job before anything is spent, and it does not run', async (_what, options) => {
  for (const once of [false, true]) {
    const at = world({ limit: 3, per: 'minute' }, { ...options, once })
    let runs = 0
    const job = newJob()
    expect(await at.run(job, () => (runs += 1))).toBeInstanceOf(Error)
    expect([runs, job.delays, await usedOf(at)]).toEqual([0, [], 0])
  }
})

test('tenants with ids of 256 characters are counted each by itself; longer or empty ones fail the job', async () => {
  const at = world({ limit: 3, per: 'minute' })
  const tenants = at.vsa.budgets('tenant', { limit: 1, per: 'minute' })
  for (const [tenant, isRun] of [
    ['t'.repeat(256), true],
    [`${'t'.repeat(255)}u`, true],
    ['t'.repeat(100_000), false],
    ['', false],
  ] as const) {
    let runs = 0
    const limited = limitProcessor(async (_job: Job) => (runs += 1), {
      budget: ({ data }) => tenants.of(data.tenant),
      now: () => at.clock.now(),
    })
    const outcome = limited({ ...newJob(), data: { tenant } }, 'lock').catch((error: unknown) => error)
    if (isRun) expect(await outcome).toBe(1)
    else expect(await outcome).toBeInstanceOf(Error)
    expect(runs).toBe(isRun ? 1 : 0)
  }
})

test('each attempt is charged by default, and a failure keeps its units', async () => {
  const at = world({ limit: 5, per: 'year' })
  const job = newJob()
  expect(await at.run(job, fail())).toMatchObject({ message: 'no' })
  expect(await at.run({ ...job, attemptsMade: 1 })).toBe('done')
  expect(await usedOf(at)).toBe(2)
})

test('with `refundOnFailure` an attempt that fails gives its units back, and one that succeeds does not', async () => {
  const at = world({ limit: 5, per: 'year' }, { refundOnFailure: true })
  const job = newJob()
  await at.run(job, fail())
  await at.vsa.flush()
  expect(await usedOf(at)).toBe(0)
  await at.run({ ...job, attemptsMade: 1 })
  expect(await usedOf(at)).toBe(1)
})

test.each(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError'])(
  'a processor that puts its job off by itself (%s) has not failed: nothing is given back',
  async (name) => {
    const at = world({ limit: 5, per: 'year' }, { refundOnFailure: true })
    await at.run(newJob(), fail(name))
    await at.vsa.flush()
    expect(await usedOf(at)).toBe(1)
  },
)

test('L3: with `once` a job is admitted once for all its attempts, also by another process', async () => {
  const at = world({ limit: 2, per: 'year' }, { once: true })
  const job = newJob()
  await at.run(job, fail())
  expect(await at.run({ ...job, attemptsMade: 1 }, fail())).toMatchObject({ message: 'no' })
  expect(await at.run({ ...job, attemptsMade: 2 })).toBe('done')
  expect(await usedOf(at)).toBe(1)
  expect(await at.run(newJob())).toBe('done')
  expect(await at.run(newJob())).toMatchObject({ name: 'DelayedError' })
})

test('with `once`, jobs of one id are apart when their queue or the time of their creation differs', async () => {
  const at = world({ limit: 9, per: 'year' }, { once: true })
  const job = newJob()
  await at.run(job)
  await at.run({ ...job, queueName: 'texts' })
  await at.run({ ...job, timestamp: 1_735_689_600_001 })
  await at.run({ ...job, id: 'x'.repeat(1_000) })
  await at.run({ ...job, id: 'x'.repeat(1_001) })
  expect(await usedOf(at)).toBe(5)
})

test('with `once` and `refundOnFailure` the units come back when the job has failed for good, and not before', async () => {
  const at = world({ limit: 5, per: 'year' }, { once: true, refundOnFailure: true })
  const [job, other] = [newJob(), newJob()]
  await at.run(job, fail())
  await at.run({ ...job, attemptsMade: 1 }, fail())
  expect(await usedOf(at)).toBe(1)
  await at.run({ ...job, attemptsMade: 2 }, fail())
  expect(await usedOf(at)).toBe(0)
  await at.run(other, fail('UnrecoverableError'))
  expect(await usedOf(at)).toBe(0)
  // A retry by hand would be free.
  expect(await at.run(job)).toMatchObject({ name: 'UnrecoverableError' })
})

test('a job’s own error is told, also where its refund fails', async () => {
  const at = world({ limit: 5, per: 'year' }, { once: true, refundOnFailure: true })
  const job = newJob({ opts: {} })
  const ran = at.run(job, () => {
    at.net.cut('refuse')
    throw new Error('no mail server')
  })
  await at.clock.settle()
  await at.clock.advance(100)
  expect(await ran).toMatchObject({ message: 'no mail server' })
})

test('with `allow`, a job that is not counted has nothing to give back when it fails', async () => {
  const at = world({ limit: 5, per: 'year' }, { refundOnFailure: true }, { onStoreUnavailable: 'allow' })
  at.net.cut('refuse')
  const ran = at.run(newJob(), fail())
  await at.clock.advance(100)
  expect(await ran).toMatchObject({ name: 'Error', message: 'no' })
  expect(at.vsa.stats()).toMatchObject({ unaccountedUnits: 1, refundedUnits: 0 })
})

test('L1: of 100 jobs at once, as many run as the limit says', async () => {
  const at = world({ limit: 7, per: 'minute' })
  const results = await Promise.all(Array.from({ length: 100 }, () => at.run(newJob())))
  expect(results.filter((result) => result === 'done')).toHaveLength(7)
  expect(await usedOf(at)).toBe(7)
})

test('an unknown option is refused by name', () => {
  const { budget } = world({ limit: 1, per: 'minute' })
  const wrong = { budget: () => budget, refund: true }
  expect(() => limitProcessor(async (_job: Job) => 1, wrong)).toThrow(new TypeError('options.refund is not known'))
})
