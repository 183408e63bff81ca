import type { Answer, AppliedAnswer, Batch, Store, VsaEvent } from '../../../packages/vsa/dist/index.js'
import { manualClock, type ManualClock } from 'vsa/testing'
import { loadLibrary } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'

/** What a store answers instead of its own answer; null where it answers as it is. */
type Tamper = (answer: AppliedAnswer) => unknown

/** O2: nothing of a wrong answer is used, and the next attempt gets the right one. */
export async function assertAnswersChecked(folder: string): Promise<void> {
  const wrong: readonly Tamper[] = [
    (answer) => ({ ...answer, entries: [] }),
    (answer) => ({ ...answer, entries: answer.entries.map((entry) => ({ ...entry, held: NaN })) }),
    (answer) => ({ ...answer, granted: answer.granted.map((granted) => granted + 9) }),
    () => undefined,
  ]
  for (const [number, tamper] of wrong.entries()) {
    const { clock, vsa, events } = await opened(folder, once(tamper))
    const seats = vsa.budget('seats', { initial: 10 })
    const asked = [1, 2, 3].map(() => seats.admit(4).catch(() => 'failed' as const))
    await clock.advance(5_000)
    const admitted = await Promise.all(asked)
    const used = await seats.peek().then(
      (peek) => peek.used,
      () => -1,
    )
    must(
      admitted.filter((answer) => answer === true).length === 2 && used === 8 && events.every(isHarmless),
      'O2',
      () => `wrong answer ${number}: ${admitted.join()}, ${used} used, ${JSON.stringify(events)}`,
    )
    await closed(clock, vsa)
  }
}

/** O5: refunds in a batch whose fate the store has forgotten are counted as refused, and an event reports them. */
export async function assertFateTold(folder: string): Promise<void> {
  const forget: Tamper = ({ time, entries }) => ({
    ...{ kind: 'fenced', time, last: null, forgot: true, gone: entries.map(() => null) },
  })
  const { clock, vsa, events } = await opened(folder, forgetting(forget))
  const seats = vsa.budget('seats', { initial: 10 })
  await seats.admit(8)
  seats.refund(3)
  await clock.advance(5_000)
  const reported = events.flatMap((event) => (event.type === 'refunds_refused' ? event.units : []))
  const { refundsRefused } = vsa.stats()
  must(
    refundsRefused === 3 && reported.join() === '3',
    'O5',
    () =>
      `a refund of 3 units in a forgotten batch: ${refundsRefused} are counted as refused, ${reported.join()} reported`,
  )
  await closed(clock, vsa)
}

interface Opened {
  readonly clock: ManualClock
  readonly vsa: ReturnType<Awaited<ReturnType<typeof loadLibrary>>['open']>
  readonly events: VsaEvent[]
}

async function opened(folder: string, tamper: (batch: Batch) => Tamper | null): Promise<Opened> {
  const { open, memory } = await loadLibrary(folder)
  const clock = manualClock()
  const inner = memory({ now: () => clock.now() })
  const store: Store = {
    ...{ capabilities: inner.capabilities, join: (label) => inner.join(label), read: (names) => inner.read(names) },
    ...{ list: (range) => inner.list(range), owners: () => inner.owners(), close: () => inner.close() },
    exchange: async (batch) => {
      const change = tamper(batch)
      const answer = await inner.exchange(batch)
      return change === null || !('entries' in answer) ? answer : (change(answer) as Answer)
    },
  }
  const events: VsaEvent[] = []
  const vsa = open({ store, clock, onEvent: (event) => events.push(event) })
  await vsa.ready()
  return { clock, vsa, events }
}

function once(tamper: Tamper): (batch: Batch) => Tamper | null {
  let isDone = false
  return () => {
    if (isDone) return null
    isDone = true
    return tamper
  }
}

/** The first batch with a refund. */
function forgetting(tamper: Tamper): (batch: Batch) => Tamper | null {
  const first = once(tamper)
  return (batch) => (batch.entries.some((entry) => entry.kind === 'budget' && entry.refund > 0) ? first(batch) : null)
}

function isHarmless({ type }: VsaEvent): boolean {
  return type === 'joined' || type === 'store_away' || type === 'store_back' || type === 'threshold'
}

async function closed(clock: ManualClock, vsa: Opened['vsa']): Promise<void> {
  const closing = vsa.close()
  await clock.advance(11_000)
  await closing.catch(() => undefined)
}
