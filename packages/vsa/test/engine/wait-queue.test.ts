import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { PendingRequest, RequestTerms, type Verdict } from '../../src/engine/requests/pending-request.ts'
import { ServicePace } from '../../src/engine/requests/service-pace.ts'
import { WaitQueue } from '../../src/engine/requests/wait-queue.ts'
import { Metrics } from '../../src/engine/runtime/metrics.ts'
import { manualClock } from '../../src/testing/index.ts'

const DONE: Verdict = { kind: 'unaccounted' }

class Untold extends PendingRequest {
  tell(): void {}
}

function requestOf(deadlineMs = 10): PendingRequest {
  return new Untold(new RequestTerms([], false, deadlineMs))
}

function queueOn(clock: Clock = manualClock()): WaitQueue {
  return new WaitQueue(clock, new Metrics(), () => DONE)
}

describe('requests that wait', () => {
  test('O12: a request that was resolved while its row was read is not handed out, and the others are, in order', () => {
    const queue = queueOn()
    const requests = Array.from({ length: 4 }, () => requestOf())
    for (const request of requests) queue.read(request)
    const [first, second, third, fourth] = requests
    if (second !== undefined) queue.resolve(second, DONE)
    const taken: PendingRequest[] = []
    queue.drainReading((request) => request !== fourth && taken.push(request) > 0)
    expect(taken).toEqual([first, third])
    queue.drainReading((request) => taken.push(request) > 0)
    expect(taken).toEqual([first, third, fourth])
    expect(queue.size).toBe(0)
  })

  test('a visit looks at every request in the queue that has no verdict yet', () => {
    const queue = queueOn()
    const [first, second, third] = [requestOf(), requestOf(), requestOf()]
    for (const request of [first, second, third]) queue.add(request)
    queue.resolve(second, DONE)
    const seen: PendingRequest[] = []
    queue.visit((request) => seen.push(request))
    expect(seen).toEqual([first, third])
  })

  test('the timer of deadlines keeps the process alive, because a caller awaits the answer, and goes with the last request', () => {
    const clock = manualClock()
    const holds: unknown[] = []
    const queue = queueOn({
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      soon: (run) => clock.soon(run),
      timer: (delayMs, fire, keepAlive) => {
        holds.push(keepAlive)
        return clock.timer(delayMs, fire, keepAlive)
      },
    })
    const request = requestOf()
    queue.add(request)
    queue.startDeadlines()
    expect([holds, clock.timers]).toEqual([[true], 1])
    queue.resolve(request, DONE)
    expect(clock.timers).toBe(0)
  })

  test('O10: requests with the same terms have the deadline of the first of them, though another one comes later', async () => {
    const clock = manualClock()
    const queue = queueOn(clock)
    const terms = new RequestTerms([], false, 10)
    for (const laterMs of [0, 6]) {
      await clock.advance(laterMs)
      queue.add(new Untold(terms))
      queue.startDeadlines()
    }
    expect(terms.deadlineAtMs).toBe(10)
  })

  test('requests aborted in order of arrival leave the line too, though one behind them waits', () => {
    const queue = queueOn()
    const requests = Array.from({ length: 1_000 }, () => requestOf())
    for (const request of requests) queue.add(request)
    const last = requests.pop()
    for (const request of requests) queue.abort(request, new Error('gone'))
    expect(queue.size).toBeLessThanOrEqual(64)
    expect(queue.last).toBe(last)
  })
})

describe('the pace of a queue', () => {
  test('is unknown until eight full batches were measured, then that of the fastest of the last eight', () => {
    const pace = new ServicePace()
    // Batches of 10 requests; the second one leaves after 5 ms, each other one 20 ms after the one before.
    const leaves = [0, 5, 25, 45, 65, 85, 105, 125, 145, 165]
    const found = leaves.map((atMs) => pace.full(10, atMs))
    expect(found).toEqual([...Array.from({ length: 8 }, () => undefined), 0.5, 2])
  })

  test('is forgotten when the queue is empty: a pause without requests is no service', () => {
    const pace = new ServicePace()
    for (let batch = 0; batch < 20; batch += 1) pace.full(10, 20 * batch)
    pace.done()
    const found = Array.from({ length: 9 }, (_, batch) => pace.full(10, 1_000_000 + 30 * batch))
    expect(found).toEqual([...Array.from({ length: 8 }, () => undefined), 3])
  })
})
