import { StoreError } from '../../src/core/errors.ts'
import type { Answer, AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import type { BatchContent } from '../../src/engine/session/state-machine.ts'
import type { VsaEvent } from '../../src/engine/runtime/events.ts'
import { Session } from '../../src/engine/session/session.ts'
import { Metrics } from '../../src/engine/runtime/metrics.ts'
import { manualClock, type ManualClock } from '../../src/testing/index.ts'

export const CONTENT: BatchContent = { entries: [], takes: [], close: false }
export const TIMEOUT_MS = 1_000

/** One call of the session, which the test answers. */
export interface Call {
  readonly atMs: number
  readonly batch: Batch | null
  readonly answer: (answer: Answer | Joined) => void
  readonly fail: (cause: unknown) => void
}

export interface Stage {
  readonly clock: ManualClock
  readonly session: Session
  readonly calls: Call[]
  readonly events: VsaEvent[]
  /** What the listener was called with, in words. */
  readonly reports: string[]
  readonly metrics: Metrics
  /** What is to be sent instead of a batch with a row that does not balance. */
  rest: BatchContent | null
}

/** A session whose store is answered by the test. */
export function stage(random = 0.5): Stage {
  const clock = manualClock()
  const calls: Call[] = []
  const events: VsaEvent[] = []
  const reports: string[] = []
  const metrics = new Metrics()
  const call = <T>(batch: Batch | null): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      // The test answers a join with `Joined` and an exchange with `Answer`.
      const answer = (value: Answer | Joined): void => resolve(value as T)
      calls.push({ atMs: clock.monotonic(), batch, answer, fail: reject })
    })
  const store: Pick<Store, 'join' | 'exchange'> = { join: () => call<Joined>(null), exchange: (batch) => call(batch) }
  const session = new Session(
    {
      store: store as Store,
      clock,
      random: () => random,
      label: 'test',
      flushIntervalMs: 100,
      isClockGiven: false,
      exchangeTimeoutMs: TIMEOUT_MS,
      emit: (event) => events.push(event),
      metrics,
    },
    {
      opened: (epoch) => reports.push(`opened ${epoch}`),
      settled: ({ seq }, { kind }) => reports.push(`settled ${seq} ${kind}`),
      fenced: ({ seq }, answer) => reports.push(`fenced ${seq} ${answer?.last?.seq ?? 'unknown'}`),
      left: (epoch) => reports.push(`left ${epoch}`),
      leasesStop: (isStopped) => reports.push(isStopped ? 'leases stop' : 'leases go on'),
      voided: ({ seq }, row, detail) => {
        reports.push(`voided ${seq} ${row?.key ?? 'nothing'} ${detail}`)
        return scene.rest
      },
      ended: ({ seq }, { kind }) => reports.push(`ended ${seq} ${kind}`),
      failed: ({ message }) => reports.push(`failed ${message}`),
    },
  )
  const scene: Stage = { clock, session, calls, events, reports, metrics, rest: null }
  return scene
}

export const JOINED: Joined = {
  ...{ epoch: 7, token: 't', incarnation: 'i', mayForget: false, frozenUntil: 0 },
  ...{ time: 5_000, leaseTtlMs: 1_000 },
}

/** Answers the last call, and waits until it is handled. */
export async function answer(scene: Stage, value: Answer | Joined): Promise<void> {
  scene.calls.at(-1)?.answer(value)
  await scene.clock.settle()
}

export async function fail(scene: Stage, cause: unknown): Promise<void> {
  scene.calls.at(-1)?.fail(cause)
  await scene.clock.settle()
}

export async function joined(scene: Stage, value: Joined = JOINED): Promise<void> {
  scene.session.start()
  await answer(scene, value)
}

export async function sent(scene: Stage, content = CONTENT): Promise<void> {
  scene.session.send(content)
  await scene.clock.settle()
}

export function applied(time: number, kind: AppliedAnswer['kind'] = 'applied'): AppliedAnswer {
  const written = { records: 0, leaseRecords: 0 }
  return { kind, time, expiresAt: time + 1_000, entries: [], granted: [], wanted: [], written, frozenUntil: 0 }
}

export const DOWN: StoreError = new StoreError('store_busy', 'down', { applied: 'no', transient: true })

/** When each attempt was made, counted from the one before. */
export function gaps(calls: readonly Call[]): number[] {
  return calls.slice(1).map(({ atMs }, at) => atMs - (calls[at]?.atMs ?? 0))
}
