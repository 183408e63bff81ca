import { invariant } from '../../core/errors.ts'
import type { Answer, AppliedAnswer, Batch, FencedAnswer, BreachedRow } from '../../core/exchange.ts'
import type { Caller } from '../../core/standing.ts'
import type { Joined } from '../../core/store.ts'
import { SESSION_TABLE, type SessionEvent, type SessionState, type SessionStep } from './transition-table.ts'

/**
 * One owner's session with its store (O2, O5, S2) as plain data and one pure function: which epoch, which seq, which batch is in
 * flight, and what an answer means for it. It uses no clock, no promise and no store, so that a model checker can visit every state.
 */
export interface SessionRecord {
  readonly state: SessionState
  /** Null while there is none. */
  readonly epoch: number | null
  /** Of that epoch. */
  readonly token: string | null
  /** Under which that epoch was opened (F1). */
  readonly incarnation: string | null
  /** The process's first epoch; null before the first join. */
  readonly firstEpoch: number | null
  /** The last seq of this epoch that surely counts; 0 at first. */
  readonly seq: number
  /** What is in flight, the same object until its answer is certain; null when nothing is. */
  readonly batch: Batch | null
}

/** Before the first join. */
export const NOT_JOINED: SessionRecord = {
  state: 'joining',
  epoch: null,
  token: null,
  incarnation: null,
  firstEpoch: null,
  seq: 0,
  batch: null,
}

/** Who the owner is to the store while nothing is in flight; null while there is no epoch, or something is. */
export function idleCaller({ state, epoch, token, seq }: SessionRecord): Caller | null {
  return state === 'ready' && epoch !== null && token !== null ? { epoch, token, seq } : null
}

export type BatchContent = Pick<Batch, 'entries' | 'takes' | 'close'>

/** What happens to a session. */
export type SessionInput =
  | { readonly kind: 'joined'; readonly epoch: number; readonly token: string; readonly incarnation: string }
  | { readonly kind: 'send'; readonly content: BatchContent }
  /** `batch` is what the answer is to, as it was sent. */
  | { readonly kind: 'answer'; readonly batch: Batch; readonly answer: Answer }
  /** S6: what is left of the batch in flight without the row that does not balance. */
  | { readonly kind: 'replaced'; readonly content: BatchContent }
  /** F9: an answer that counts has shown that the store lost writes. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed' | 'retry' | 'abandon' }

/** The session afterwards, and what to do: the actions of the transition table, each with its data. */
export type SessionTurn = { readonly next: SessionRecord } & (
  | { readonly action: 'ignore' | 'join' | 'pause' }
  | { readonly action: 'open' | 'leave'; readonly epoch: number }
  | { readonly action: 'attempt'; readonly batch: Batch }
  | { readonly action: 'settle'; readonly batch: Batch; readonly answer: AppliedAnswer }
  /** `answer` is null when the store has lost the batch. */
  | { readonly action: 'rejoin'; readonly batch: Batch; readonly answer: FencedAnswer | null }
  | { readonly action: 'void'; readonly batch: Batch; readonly row: BreachedRow | undefined; readonly detail: string }
  /** `last` is null when the engine gave up before an answer came. */
  | { readonly action: 'end'; readonly last: FinalAnswer | null }
)

/** The closing batch, and the answer that confirms it. */
interface FinalAnswer {
  readonly batch: Batch
  readonly answer: AppliedAnswer | FencedAnswer
}

/** The next state and the action. Every input in every state has an outcome; one that only a bug could cause is an assertion. */
export function advanceSession(from: SessionRecord, input: SessionInput): SessionTurn {
  switch (input.kind) {
    case 'joined':
      return open(from, input)
    case 'send':
      return send(from, input.content)
    case 'answer':
      // An answer to an older batch, or to one that was replaced, is ignored.
      return input.batch === from.batch ? hear(from, input.batch, input.answer) : ignoring(from)
    case 'replaced':
      return replace(from, input.content)
    case 'lost':
      return leave(from)
    case 'failed':
      return pause(from)
    case 'retry':
      return tryAgain(from)
    case 'abandon':
      return end(from, 'abandon', null)
  }
}

/** A late answer to an earlier join is ignored once an epoch is open. */
function open(
  from: SessionRecord,
  { epoch, token, incarnation }: Pick<Joined, 'epoch' | 'token' | 'incarnation'>,
): SessionTurn {
  const step = stepOf(from, 'joined')
  if (step === null) return ignoring(from)
  const firstEpoch = from.firstEpoch ?? epoch
  const next = { state: step.next, epoch, token, incarnation, firstEpoch, seq: 0, batch: null }
  return { next, action: 'open', epoch }
}

function send(from: SessionRecord, content: BatchContent): SessionTurn {
  const step = stepOf(from, 'send')
  if (step === null) return ignoring(from)
  const { epoch, token, incarnation } = from
  invariant(
    epoch !== null && token !== null && incarnation !== null,
    'a batch needs an epoch, its token and incarnation',
  )
  const batch = { epoch, token, incarnation, seq: from.seq + 1, ...content }
  return { next: { ...from, state: step.next, batch }, action: 'attempt', batch }
}

/** What an answer to the batch in flight means. */
function hear(from: SessionRecord, batch: Batch, answer: Answer): SessionTurn {
  switch (answer.kind) {
    case 'applied':
    case 'replayed':
      return batch.close ? end(from, 'closed', { batch, answer }) : settle(from, batch, answer)
    case 'fenced':
      // S9: fenced by the very batch that closed the epoch.
      if (batch.close && answer.last?.seq === batch.seq) return end(from, 'closed', { batch, answer })
      return rejoin(from, 'fenced', batch, answer)
    case 'stale':
    case 'lost':
      return rejoin(from, 'forgot', batch, null)
    case 'breach':
      return leaveOut(from, batch, answer.row, answer.detail ?? 'the books do not balance')
  }
}

function settle(from: SessionRecord, batch: Batch, answer: AppliedAnswer): SessionTurn {
  const step = stepOf(from, 'applied')
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next, seq: batch.seq, batch: null }, action: 'settle', batch, answer }
}

/** O5 */
function rejoin(
  from: SessionRecord,
  event: 'fenced' | 'forgot',
  batch: Batch,
  answer: FencedAnswer | null,
): SessionTurn {
  const step = stepOf(from, event)
  if (step === null) return ignoring(from)
  const next = { ...from, state: step.next, epoch: null, token: null, incarnation: null, batch: null }
  return { next, action: 'rejoin', batch, answer }
}

/** F9: nothing is in flight, and the epoch is left. */
function leave(from: SessionRecord): SessionTurn {
  const step = from.batch === null ? stepOf(from, 'forgot') : null
  if (step === null || from.epoch === null) return ignoring(from)
  const next = { ...from, state: step.next, epoch: null, token: null, incarnation: null }
  return { next, action: 'leave', epoch: from.epoch }
}

/** S6: the batch stays in flight until its replacement is known. */
function leaveOut(from: SessionRecord, batch: Batch, row: BreachedRow | undefined, detail: string): SessionTurn {
  const step = stepOf(from, 'breach')
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next }, action: 'void', batch, row, detail }
}

/** S6: the rest goes out under the same seq. Answers to the batch that it replaces are ignored from now on. */
function replace(from: SessionRecord, content: BatchContent): SessionTurn {
  // The event listener may have ended the session meanwhile.
  if (from.state === 'ended') return ignoring(from)
  invariant(from.state === 'sending' && from.batch !== null, `a batch was replaced while ${from.state}`)
  const { entries, takes, close } = content
  const batch = { ...from.batch, entries, takes, close }
  return { next: { ...from, batch }, action: 'attempt', batch }
}

function pause(from: SessionRecord): SessionTurn {
  const step = stepOf(from, 'failed')
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next }, action: 'pause' }
}

/** O2: the same batch under the same seq. */
function tryAgain(from: SessionRecord): SessionTurn {
  const step = stepOf(from, 'retry')
  if (step === null) return ignoring(from)
  const next = { ...from, state: step.next }
  if (step.action === 'join') return { next, action: 'join' }
  invariant(from.batch !== null, 'an attempt needs a batch')
  return { next, action: 'attempt', batch: from.batch }
}

function end(from: SessionRecord, event: 'closed' | 'abandon', last: FinalAnswer | null): SessionTurn {
  const step = stepOf(from, event)
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next, batch: null }, action: 'end', last }
}

/** The table's entry; null where the event is ignored. */
function stepOf({ state }: SessionRecord, event: SessionEvent): SessionStep | null {
  const step = SESSION_TABLE[state][event]
  invariant(step.action !== 'impossible', `the session met ${event} while ${state}`)
  return step.action === 'ignore' ? null : step
}

function ignoring(from: SessionRecord): SessionTurn {
  return { next: from, action: 'ignore' }
}
