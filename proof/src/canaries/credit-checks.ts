import { manualClock } from 'vsa/testing'
import type * as Balance from '../../../packages/vsa/dist/core/trial-balance.js'
import type { Answer, AppliedAnswer, Batch, Entry, Store } from '../../../packages/vsa/dist/index.js'
import { loadLibrary } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'
import { moduleOf } from '../subject.ts'

const HOUR_MS = 3_600_000

/** R8: the store has forgotten what became of the last batch of an epoch. Its settlement is sent again in the next epoch, and counts once. */
export async function assertChangeSentAgain(folder: string): Promise<void> {
  const { open, memory } = await loadLibrary(folder)
  const clock = manualClock()
  const inner = memory({ now: () => clock.now() })
  const applied: AppliedAnswer[] = []
  const store: Store = {
    ...{ capabilities: inner.capabilities, join: (label) => inner.join(label), read: (names) => inner.read(names) },
    ...{ list: (range) => inner.list(range), owners: () => inner.owners(), close: () => inner.close() },
    exchange: async (batch): Promise<Answer> => {
      const answer = await inner.exchange(batch)
      if (answer.kind !== 'applied' || applied.length > 0 || batch.changes === undefined) return answer
      applied.push(answer)
      return { kind: 'fenced', time: answer.time, last: null, forgot: false, gone: batch.entries.map(() => null) }
    },
  }
  const vsa = open({ store, clock, onEvent: () => undefined })
  await vsa.ready()
  const seats = vsa.budget('seats', { initial: 10 })
  const reservation = await seats.reserve(8, { id: 'call', ttlMs: HOUR_MS, onExpire: 'return' })
  const settled = reservation?.settle(3).catch(String)
  await clock.advance(6_000)
  const outcome = JSON.stringify(await settled)
  const used = (await inner.list({ limit: 1 })).rows[0]?.budget.used
  must(
    outcome === '{"settled":3,"uncovered":0,"repeated":true}' && used === 3,
    'R8',
    () => `a settlement whose fate was not known was answered ${outcome}, and ${used} units are used`,
  )
  const closing = vsa.close()
  await clock.advance(11_000)
  await closing
}

/** L2: the trial balance of a row with units set aside. */
export async function assertReservedBalanced(folder: string): Promise<void> {
  const { trialBalance } = await moduleOf<typeof Balance>(folder, 'core/trial-balance.js')
  const { store, send } = await joined(folder)
  await send({
    entries: [seats()],
    takes: [{ need: [[0, 4]], n: 1, remember: { id: 'r', as: 'reservation', ttlMs: HOUR_MS, onExpire: 'return' } }],
  })
  const [row] = (await store.list({ limit: 1 })).rows
  const difference = row === undefined ? NaN : trialBalance(row).difference
  must(difference === 0, 'L2', () => `4 of 10 units are set aside, and the trial balance differs by ${difference}`)
}

/** I2, P5: what a reset has given back is not given back by its id as well. */
export async function assertNothingBehindReset(folder: string): Promise<void> {
  const { store, send } = await joined(folder)
  const known = { ...seats(), known: true } as const
  const admission = { id: 'a', as: 'admission', ttlMs: 0, onExpire: 'return' } as const
  await send({ entries: [seats()], takes: [{ need: [[0, 6]], n: 1, remember: admission }] })
  await send({ entries: [{ ...known, reset: true }], takes: [] })
  await send({ entries: [known], takes: [{ need: [[0, 6]], n: 1 }] })
  const answer = await send({
    entries: [known],
    takes: [],
    changes: [{ op: 'refund', key: 'seats', id: 'a', units: 6 }],
  })
  const back = answer.credits?.changes[0]
  const used = (await store.list({ limit: 1 })).rows[0]?.budget.used
  must(
    back?.kind === 'refunded' && back.units === 0 && used === 6,
    'I2',
    () => `a refund behind a reset was answered ${JSON.stringify(back)}, and ${used} of 6 units stay used`,
  )
}

/** I2, L1: a decision that is repeated took nothing. */
export async function assertRepeatGivesNothing(folder: string): Promise<void> {
  const { open, memory } = await loadLibrary(folder)
  const clock = manualClock()
  const store = memory({ now: () => clock.now() })
  const vsa = open({ store, clock, onEvent: () => undefined })
  const seats = vsa.budget('seats', { initial: 10 })
  await seats.admit(6, { id: 'order' })
  seats.refund(6, await seats.decide(6, { id: 'order' }))
  await vsa.flush()
  const used = (await store.list({ limit: 1 })).rows[0]?.budget.used
  must(used === 6, 'I2', () => `a repeated decision was given back, and ${used} of 6 units stay used`)
  const closing = vsa.close()
  await clock.advance(11_000)
  await closing
}

interface JoinedStore {
  readonly store: Store
  readonly send: (content: Pick<Batch, 'entries' | 'takes' | 'changes'>) => Promise<AppliedAnswer>
}

async function joined(folder: string): Promise<JoinedStore> {
  const { memory } = await loadLibrary(folder)
  const store = memory({ now: () => HOUR_MS })
  const { epoch, token, incarnation } = await store.join('check')
  let seq = 0
  return {
    store,
    send: async (content) => {
      seq += 1
      const answer = await store.exchange({ epoch, token, incarnation, seq, close: false, ...content })
      if (answer.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(answer)}`)
      return answer
    },
  }
}

/** Ten units. */
function seats(): Extract<Entry, { kind: 'budget' }> {
  const policy = { kind: 'initial', limit: 10, burnMax: 1, version: 1, endsAt: null, keepUntil: null } as const
  const entry = { key: 'seats', period: 0, known: false, policy, spent: 0, refund: 0, hold: 0, wantMs: 0 }
  return { kind: 'budget', ...entry }
}
