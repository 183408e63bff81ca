import { expect, test } from 'vitest'
import type { Answer, AppliedAnswer, Batch, FencedAnswer } from '../../src/core/exchange.ts'
import {
  type SessionRecord,
  advanceSession,
  NOT_JOINED,
  type SessionInput,
} from '../../src/engine/session/state-machine.ts'
import { SESSION_TABLE, type SessionEvent, type SessionState } from '../../src/engine/session/transition-table.ts'

const CONTENT = { entries: [], takes: [], close: false }
const WRITTEN = { records: 0, leaseRecords: 0 }
const OUTCOME = { granted: [], notes: {}, written: WRITTEN }
const APPLIED: AppliedAnswer = {
  kind: 'applied',
  time: 1,
  expiresAt: 2,
  entries: [],
  granted: [],
  wanted: [],
  written: WRITTEN,
  frozenUntil: 0,
}

const fenced = (seq: number): FencedAnswer => ({
  kind: 'fenced',
  time: 1,
  last: { seq, outcome: OUTCOME },
  forgot: false,
  gone: [],
})

function after(...inputs: readonly SessionInput[]): SessionRecord {
  return inputs.reduce((from, input) => advanceSession(from, input).next, NOT_JOINED)
}

const JOINED: SessionInput = { kind: 'joined', epoch: 7, token: 't', incarnation: 'i' }
const SEND: SessionInput = { kind: 'send', content: CONTENT }
const SEND_LAST: SessionInput = { kind: 'send', content: { ...CONTENT, close: true } }
const IN_STATE: Readonly<Record<SessionState, SessionRecord>> = {
  joining: NOT_JOINED,
  ready: after(JOINED),
  sending: after(JOINED, SEND),
  resending: after(JOINED, SEND, { kind: 'failed' }),
  ended: after(JOINED, { kind: 'abandon' }),
}

function batchOf(session: SessionRecord): Batch {
  return session.batch ?? { epoch: 7, token: 't', incarnation: 'i', seq: 1, ...CONTENT }
}

function answered(session: SessionRecord, answer: Answer): SessionInput {
  return { kind: 'answer', batch: batchOf(session), answer }
}

/** The input that causes the event. */
function inputOf(event: SessionEvent, session: SessionRecord): SessionInput {
  switch (event) {
    case 'joined':
      return { kind: 'joined', epoch: 8, token: 'u', incarnation: 'i' }
    case 'send':
      return SEND
    case 'applied':
    case 'closed':
      return answered(session, APPLIED)
    case 'fenced':
      return answered(session, fenced(0))
    case 'forgot':
      // F9: a row was gone under a lease, where nothing is in flight any more.
      return session.state === 'ready' ? { kind: 'lost' } : answered(session, { kind: 'lost', time: 1 })
    case 'breach':
      return answered(session, { kind: 'breach', time: 1, row: { key: 'a', period: 0 } })
    case 'failed':
    case 'retry':
    case 'abandon':
      return { kind: event }
  }
}

const states = Object.keys(SESSION_TABLE) as SessionState[]
const events = Object.keys(SESSION_TABLE.joining) as SessionEvent[]
const cells = states.flatMap((state) => events.map((event) => ({ state, event })))

test.each(cells)('O2 O5: $state meets $event as the table says', ({ state, event }) => {
  const base = IN_STATE[state]
  const from = event === 'closed' && base.batch !== null ? { ...base, batch: { ...base.batch, close: true } } : base
  const expected = SESSION_TABLE[state][event]
  const input = inputOf(event, from)
  if (expected.action === 'impossible') {
    expect(() => advanceSession(from, input)).toThrow(`the session met ${event} while ${state}`)
    return
  }
  const turn = advanceSession(from, input)
  expect({ action: turn.action, state: turn.next.state }).toEqual({ action: expected.action, state: expected.next })
  if (expected.action === 'ignore') expect(turn.next).toBe(from)
})

test('O2: a batch keeps its seq and stays the same object until its answer is certain', () => {
  const sending = IN_STATE.sending
  const again = advanceSession(advanceSession(sending, { kind: 'failed' }).next, { kind: 'retry' })
  expect(again).toMatchObject({ action: 'attempt' })
  expect(again.next.batch).toBe(sending.batch)
  expect(again.next.batch).toMatchObject({ epoch: 7, seq: 1 })
})

test('O2: the seq goes up by one with each batch that counts, also when only its replay is heard', () => {
  const second = advanceSession(advanceSession(IN_STATE.sending, answered(IN_STATE.sending, APPLIED)).next, SEND).next
  expect(second.batch).toMatchObject({ epoch: 7, seq: 2 })
  const replayed = answered(second, { ...APPLIED, kind: 'replayed' })
  expect(advanceSession(second, replayed).next).toMatchObject({ state: 'ready', seq: 2, batch: null })
})

test('O2: an answer to an older batch is ignored, whatever it says', () => {
  const old = answered(IN_STATE.sending, fenced(0))
  const second = advanceSession(advanceSession(IN_STATE.sending, answered(IN_STATE.sending, APPLIED)).next, SEND).next
  expect(advanceSession(second, old)).toEqual({ next: second, action: 'ignore' })
})

test('O2: an answer that comes during the pause before the next attempt counts', () => {
  const resending = IN_STATE.resending
  expect(advanceSession(resending, answered(resending, APPLIED))).toMatchObject({
    action: 'settle',
    next: { state: 'ready' },
  })
})

test('S9: a closing batch that is fenced by its own seq has closed the epoch', () => {
  const closing = after(JOINED, SEND_LAST)
  expect(advanceSession(closing, answered(closing, fenced(1)))).toMatchObject({
    action: 'end',
    next: { state: 'ended', batch: null },
    last: { batch: { seq: 1, close: true }, answer: { kind: 'fenced' } },
  })
})

test.each([fenced(0), { kind: 'fenced', time: 1, last: null, forgot: true, gone: [] } as const])(
  'O5 S9: a closing batch that is fenced by anything else has not counted: %o',
  (answer) => {
    const closing = after(JOINED, SEND_LAST)
    expect(advanceSession(closing, answered(closing, answer))).toMatchObject({
      action: 'rejoin',
      answer,
      next: { state: 'joining', epoch: null, batch: null },
    })
  },
)

test('O5: a batch that is fenced by its own seq ends the epoch, and its outcome is passed on', () => {
  const sending = IN_STATE.sending
  expect(advanceSession(sending, answered(sending, fenced(1)))).toMatchObject({
    action: 'rejoin',
    answer: { last: { seq: 1 } },
  })
})

test.each(['stale', 'lost'] as const)(
  'O5: `%s` shows that the store lost writes: the outcome of the batch is unknown',
  (kind) => {
    const sending = IN_STATE.sending
    expect(advanceSession(sending, answered(sending, { kind, time: 1 }))).toMatchObject({
      action: 'rejoin',
      answer: null,
      next: { epoch: null, firstEpoch: 7 },
    })
  },
)

test('S3: the first epoch stays the version of the policies, and a new epoch starts at seq 1', () => {
  const sending = IN_STATE.sending
  const joining = advanceSession(sending, answered(sending, fenced(0))).next
  const again = advanceSession(
    advanceSession(joining, { kind: 'joined', epoch: 9, token: 'v', incarnation: 'i' }).next,
    SEND,
  ).next
  expect(again).toMatchObject({ epoch: 9, firstEpoch: 7, seq: 0, batch: { epoch: 9, seq: 1 } })
})

test('S6: the rest of a batch goes out under the same seq, and answers to the whole are ignored from then on', () => {
  const sending = IN_STATE.resending
  const whole = batchOf(sending)
  const voided = advanceSession(sending, answered(sending, { kind: 'breach', time: 1, row: { key: 'a', period: 0 } }))
  expect(voided).toMatchObject({ action: 'void', row: { key: 'a' }, next: { state: 'sending' } })
  const rest = advanceSession(voided.next, { kind: 'replaced', content: { ...CONTENT, entries: [{ kind: 'void' }] } })
  expect(rest).toMatchObject({ action: 'attempt', batch: { epoch: 7, seq: 1, entries: [{ kind: 'void' }] } })
  expect(advanceSession(rest.next, { kind: 'answer', batch: whole, answer: APPLIED }).action).toBe('ignore')
  expect(advanceSession(rest.next, answered(rest.next, APPLIED)).action).toBe('settle')
})

test('S6: a breach that names no row of the batch is a failed attempt, also during the pause before the next one', () => {
  const resending = IN_STATE.resending
  const voided = advanceSession(resending, answered(resending, { kind: 'breach', time: 1 })).next
  const failed = advanceSession(voided, { kind: 'failed' })
  expect(failed).toMatchObject({ action: 'pause', next: { state: 'resending', batch: resending.batch } })
  expect(advanceSession(failed.next, { kind: 'retry' }).action).toBe('attempt')
})

test('O13: after `abandon` answers are ignored', () => {
  const sending = IN_STATE.sending
  const ended = advanceSession(sending, { kind: 'abandon' })
  expect(ended).toMatchObject({ action: 'end', last: null, next: { state: 'ended', batch: null } })
  expect(advanceSession(ended.next, answered(sending, APPLIED)).action).toBe('ignore')
  expect(advanceSession(ended.next, { kind: 'replaced', content: CONTENT }).action).toBe('ignore')
})

test.each(['joining', 'ready', 'resending'] as const)(
  'S6: a batch is replaced only while it is refused, never while %s',
  (state) => {
    expect(() => advanceSession(IN_STATE[state], { kind: 'replaced', content: CONTENT })).toThrow(
      `a batch was replaced while ${state}`,
    )
  },
)
