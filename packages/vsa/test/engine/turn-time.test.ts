import { expect, test } from 'vitest'
import { Metrics } from '../../src/engine/runtime/metrics.ts'
import { PendingRequest, RequestTerms } from '../../src/engine/requests/pending-request.ts'
import type { Shedding } from '../../src/engine/requests/request-line.ts'
import { WaitQueue } from '../../src/engine/requests/wait-queue.ts'
import type { Clock } from '../../src/core/clock.ts'
import { manualClock } from '../../src/testing/index.ts'

/** L8: however many requests wait, and however slow the machine, one turn hands out and refuses for a bounded time. */

class Untold extends PendingRequest {
  tell(): void {}
}

/** A clock on which each request takes `msEach`. */
function slowQueue(msEach: number): {
  readonly queue: WaitQueue
  readonly spend: () => void
  readonly clock: ReturnType<typeof manualClock>
  readonly expired: readonly PendingRequest[]
} {
  const clock = manualClock()
  const expired: PendingRequest[] = []
  let lateMs = 0
  const slow: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + lateMs,
    timer: (ms, run, holds) => clock.timer(ms, run, holds),
    soon: (run) => clock.soon(run),
  }
  const spend = (): number => (lateMs += msEach)
  const queue = new WaitQueue(slow, new Metrics(), (request) => {
    spend()
    expired.push(request)
    return { kind: 'unaccounted' }
  })
  return { queue, clock, spend, expired }
}

/** The same objects, in the same order: two requests are equal to `toEqual`. */
function expectSame(requests: readonly PendingRequest[], expected: readonly PendingRequest[]): void {
  expect(requests.map((request) => expected.indexOf(request))).toEqual(expected.map((_, at) => at))
}

function fill(queue: WaitQueue, count: number): PendingRequest[] {
  const requests = Array.from({ length: count }, () => new Untold(new RequestTerms([], false, 10)))
  for (const request of requests) queue.add(request)
  queue.startDeadlines()
  return requests
}

test('a turn that takes long hands out some requests, and the next one goes on', () => {
  const { queue, spend } = slowQueue(1)
  const requests = fill(queue, 100)
  const taken: PendingRequest[] = []
  const take = (request: PendingRequest): boolean => {
    spend()
    return taken.push(request) > 0
  }
  expect(queue.drain(take)).toBe(false)
  expect(taken.length).toBeGreaterThan(0)
  expect(taken.length).toBeLessThan(50)
  while (!queue.drain(take)) expect(queue.queued).toBe(100 - taken.length)
  expect(taken).toEqual(requests)
})

test('resolved requests take no time: a queue of them is left in one turn', () => {
  const { queue, spend } = slowQueue(1)
  for (const request of fill(queue, 1_000)) {
    spend()
    queue.resolve(request, { kind: 'unaccounted' })
  }
  expect(queue.drain(() => true)).toBe(true)
})

test('requests that would be served too late are refused from the last on, in several turns, once each', async () => {
  const { queue, spend, clock } = slowQueue(1)
  const requests = fill(queue, 1_000)
  const refused: number[] = []
  const shedding: Shedding = {
    msPerRequest: 0.1,
    servedBefore: 0,
    refuse: (request, ahead) => {
      spend()
      refused.push(ahead)
      expect(requests[ahead]).toBe(request)
      return { kind: 'failed', error: new Error('too late') }
    },
  }
  queue.shed(shedding)
  const first = refused.length
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(50)
  // Another batch leaves meanwhile: no second chain of turns begins.
  queue.shed(shedding)
  expect(refused.length).toBe(first)
  await clock.advance(0)
  // From the 100th on there is no time for them, and for still fewer later.
  expect(refused.length).toBeGreaterThanOrEqual(900)
  expect(refused).toEqual(Array.from({ length: refused.length }, (_, at) => 999 - at))
  expect(queue.queued).toBe(1_000 - refused.length)
  expect(requests.filter(({ state }) => state === 'resolved')).toHaveLength(refused.length)
})

test('a request that has a verdict is not refused, and counts for those behind it until it leaves the line', () => {
  const { queue } = slowQueue(0)
  const requests = fill(queue, 100)
  const resolved = requests.filter((_, at) => at >= 50 && at % 2 === 0)
  for (const request of resolved) queue.resolve(request, { kind: 'unaccounted' })
  const refused: PendingRequest[] = []
  queue.shed({
    msPerRequest: 0.2,
    servedBefore: 0,
    refuse: (request, ahead) => {
      expect(requests[ahead]).toBe(request)
      refused.push(request)
      return { kind: 'failed', error: new Error('too late') }
    },
  })
  expect(refused).toEqual(requests.filter((_, at) => at >= 50 && at % 2 === 1).toReversed())
})

test('L8: deadlines that pass together are met in several turns, in order, once each', async () => {
  const { queue, clock, expired } = slowQueue(1)
  const requests = fill(queue, 1_000)
  await clock.advance(10)
  expect(expired.length).toBeGreaterThan(0)
  expect(expired.length).toBeLessThan(50)
  await clock.advance(1_000)
  expectSame(expired, requests)
  expect(queue.size).toBe(0)
})

test.each(['a new request', 'the rest of a group that was granted in part'])(
  'L8: a sweep past many requests that have time yet goes on in the next turn, and %s that came meanwhile is met',
  async (which) => {
    const { queue, spend, clock, expired } = slowQueue(1)
    let looks = 0
    class Looked extends Untold {
      override get deadlineAtMs(): number {
        looks += 1
        spend()
        return 100_000
      }
    }
    for (let at = 0; at < 1_000; at += 1) queue.add(new Looked(new RequestTerms([], false, 100_000)))
    const soon = new Untold(new RequestTerms([], false, 10))
    queue.add(soon)
    queue.startDeadlines()
    await clock.advance(10)
    expect(looks).toBeGreaterThan(0)
    expect(looks).toBeLessThan(100)
    const late = new Untold(new RequestTerms([], false, 10))
    late.terms.deadlineAtMs = 20
    if (which === 'a new request') queue.add(late)
    else queue.delay(late)
    queue.startDeadlines()
    await clock.advance(5_000)
    expectSame(expired, [soon, late])
  },
)

test('requests in flight fail behind those of the queue whose time is over as well, because their answer may come first', async () => {
  const { queue, clock, expired } = slowQueue(1)
  const sent = fill(queue, 3)
  queue.drain(() => true)
  queue.send(sent)
  const queued = fill(queue, 40)
  await clock.advance(10)
  expect(expired.length).toBeGreaterThan(0)
  expect(expired.length).toBeLessThan(queued.length)
  // Those that come meanwhile, and whose time is over when the next portion begins.
  const late = fill(queue, 5)
  for (const { terms } of late) terms.deadlineAtMs = 10
  await clock.advance(1_000)
  expectSame(expired, [...queued, ...late, ...sent])
})
