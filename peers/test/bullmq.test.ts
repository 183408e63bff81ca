import { Queue, UnrecoverableError, Worker, type Job, type WorkerOptions } from 'bullmq'
import { afterAll, beforeAll, expect, onTestFinished, test, type TestContext } from 'vitest'
import { open, type Budget, type Vsa } from 'vsa'
import { limitProcessor, type JobLimitOptions } from 'vsa/bullmq'
import { memory } from 'vsa/memory'
import { redisServer, type NoServer, type RedisServer } from 'vsa-servers'

/* Real workers on a Redis of their own. */

interface Mail {
  readonly tenant: string
}

let server: RedisServer | NoServer
beforeAll(async () => {
  server = await redisServer([])
})
afterAll(async () => {
  if ('stop' in server) await server.stop()
})

interface Service {
  readonly queue: Queue<Mail>
  readonly vsa: Vsa
  /** Jobs that ran, in order. */
  readonly ran: Job<Mail>[]
  readonly failed: Job<Mail>[]
  budgetOf(tenant: string): Budget
  start(work?: (job: Job<Mail>) => unknown, options?: Partial<JobLimitOptions<Job<Mail>>>): Worker<Mail>
  /** Resolves when so many jobs have run. */
  hasRun(count: number): Promise<void>
}

let services = 0

/** Two mails a tenant in each window. @param per long enough that a window does not end by itself, or short so that it does */
async function service({ skip }: TestContext, per: number): Promise<Service> {
  if ('reason' in server) return skip(server.reason)
  services += 1
  const { hostname, port } = new URL(server.url)
  const connection = { host: hostname, port: Number(port) }
  const queue = new Queue<Mail>(`mails-${services}`, { connection })
  const vsa = open({ store: memory() })
  const mails = vsa.budgets('mails', { limit: 2, per })
  const [ran, failed]: [Job<Mail>[], Job<Mail>[]] = [[], []]
  const waiting = new Set<() => void>()
  onTestFinished(async () => {
    await queue.close()
    await vsa.close()
  })
  return {
    queue,
    vsa,
    ran,
    failed,
    budgetOf: (tenant) => mails.of(tenant),
    start: (work, options = {}) => {
      const send = async (job: Job<Mail>): Promise<unknown> => {
        ran.push(job)
        for (const check of waiting) check()
        return work?.(job)
      }
      const settings: WorkerOptions = { connection, concurrency: 5 }
      const budget = (job: Job<Mail>): Budget => mails.of(job.data.tenant)
      const worker = new Worker<Mail>(queue.name, limitProcessor(send, { budget, ...options }), settings)
      worker.on('failed', (job) => void (job !== undefined && failed.push(job)))
      onTestFinished(() => worker.close())
      return worker
    },
    hasRun: async (count) => {
      await new Promise<void>((resolve) => {
        const check = (): void => void (ran.length >= count && resolve())
        waiting.add(check)
        check()
      })
    },
  }
}

/** Polls Redis, because the state of a job changes after its processor has ended. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await check()
    } catch (error) {
      if (tries === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

const YEAR_MS = 365 * 86_400_000

test('a tenant above its limit is delayed, without an attempt; the mails of the other tenants go out', async (context) => {
  const { queue, ran, failed, start, hasRun, budgetOf } = await service(context, YEAR_MS)
  const names = ['ada', 'ada', 'ada', 'ada', 'bob', 'cyd']
  const jobs = await queue.addBulk(names.map((tenant) => ({ name: 'mail', data: { tenant }, opts: { attempts: 1 } })))
  start()
  await hasRun(4)
  await eventually(async () => expect(await queue.getJobCounts('delayed', 'active')).toEqual({ delayed: 2, active: 0 }))
  expect(ran.map(({ data }) => data.tenant).toSorted()).toEqual(['ada', 'ada', 'bob', 'cyd'])
  expect(failed).toEqual([])
  const { resetAtMs = 0 } = await budgetOf('ada').peek()
  for (const { id } of jobs) {
    const job = await queue.getJob(id ?? '')
    if ((await job?.getState()) !== 'delayed') continue
    expect([job?.attemptsMade, job?.failedReason]).toEqual([0, undefined])
    expect(Number(job?.delay) + Date.now()).toBeGreaterThan(resetAtMs - 60_000)
  }
  expect(await budgetOf('ada').peek()).toMatchObject({ used: 2, remaining: 0, burned: 0 })
})

test('delayed jobs run by themselves in the windows that follow, as many in each as the limit says', async (context) => {
  const { queue, ran, failed, start, hasRun } = await service(context, 500)
  await queue.addBulk(
    Array.from({ length: 8 }, () => ({ name: 'mail', data: { tenant: 'ada' }, opts: { attempts: 1 } })),
  )
  start()
  await hasRun(8)
  await eventually(async () => expect(await queue.getJobCounts('completed')).toEqual({ completed: 8 }))
  expect(failed).toEqual([])
  expect(new Set(ran.map(({ id }) => id)).size).toBe(8)
})

test('attempts: each is charged; with `refundOnFailure` those that fail are not', async (context) => {
  const { queue, failed, start, budgetOf, vsa } = await service(context, YEAR_MS)
  const data = { tenant: 'ada' }
  await queue.add('mail', data, { attempts: 3 })
  let calls = 0
  start(
    () => {
      calls += 1
      if (calls < 3) throw new Error('no mail server')
    },
    { refundOnFailure: true },
  )
  await eventually(async () => expect(await queue.getJobCounts('completed')).toEqual({ completed: 1 }))
  expect(failed).toHaveLength(2)
  await vsa.flush()
  expect(await budgetOf('ada').peek()).toMatchObject({ used: 1, remaining: 1 })
})

test('L3: with `once` three attempts are one admission, and the units come back when the job has failed for good', async (context) => {
  const { queue, ran, failed, start, budgetOf } = await service(context, YEAR_MS)
  await queue.add('mail', { tenant: 'ada' }, { attempts: 3 })
  await queue.add('mail', { tenant: 'bob' }, { attempts: 3 })
  const [used, work]: [number[], (job: Job<Mail>) => Promise<void>] = [
    [],
    async ({ data: { tenant } }) => {
      used.push((await budgetOf(tenant).peek()).used)
      if (tenant === 'ada') throw new Error('no mail server')
      throw new UnrecoverableError('no such address')
    },
  ]
  start(work, { once: true, refundOnFailure: true })
  await eventually(async () => expect(await queue.getJobCounts('failed')).toEqual({ failed: 2 }))
  expect(ran.map(({ data }) => data.tenant).toSorted()).toEqual(['ada', 'ada', 'ada', 'bob'])
  expect(used).toEqual([1, 1, 1, 1])
  expect(failed).toHaveLength(4)
  for (const tenant of ['ada', 'bob']) expect(await budgetOf(tenant).peek()).toMatchObject({ used: 0, remaining: 2 })
})

test('a job that costs more than the limit fails at its first attempt', async (context) => {
  const { queue, ran, start } = await service(context, YEAR_MS)
  const job = await queue.add('mail', { tenant: 'ada' }, { attempts: 3 })
  start(undefined, { units: () => 3 })
  await eventually(async () => expect(await job.getState()).toBe('failed'))
  const failed = await queue.getJob(job.id ?? '')
  expect(failed).toMatchObject({
    attemptsMade: 1,
    failedReason: 'mails:ada: the job costs 3 units, and the limit is 2',
  })
  expect(ran).toEqual([])
})
