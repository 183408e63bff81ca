import { invariant } from '../../core/errors.ts'
import type { Answer, AppliedAnswer, Batch, FencedAnswer, RowName } from '../../core/exchange.ts'
import { SESSION_TABLE, type SessionEvent, type SessionState, type SessionStep } from './transition-table.ts'

/**
 * One owner's conversation with its store (O2, O5, S2), as plain data and one pure function: which epoch, which seq, which batch is in
 * flight, and what an answer means for it. No clock, no promise and no store, so that a model checker can walk through all of it.
 */
export interface Conversation {
  readonly state: SessionState
  /** Null while there is none. */
  readonly epoch: number | null
  /** The process's first epoch; null before the first join. */
  readonly firstEpoch: number | null
  /** The last seq of this epoch that surely counts; 0 at first. */
  readonly seq: number
  /** What is in flight, the same object until its answer is certain; null when nothing is. */
  readonly batch: Batch | null
}

/** Before the first join. */
export const NOT_JOINED: Conversation = { state: 'joining', epoch: null, firstEpoch: null, seq: 0, batch: null }

export type BatchContent = Pick<Batch, 'entries' | 'takes' | 'close'>

/** What the conversation meets. */
export type Occasion =
  | { readonly kind: 'joined'; readonly epoch: number }
  | { readonly kind: 'send'; readonly content: BatchContent }
  /** `batch` is what the answer is to, as it was sent. */
  | { readonly kind: 'answer'; readonly batch: Batch; readonly answer: Answer }
  /** S6: what is left of the batch in flight without the row that does not balance. */
  | { readonly kind: 'replaced'; readonly content: BatchContent }
  | { readonly kind: 'failed' | 'retry' | 'abandon' }

/** The conversation afterwards, and what is to be done: the actions of the session's table, each with what it needs. */
export type Turn = { readonly next: Conversation } & (
  | { readonly action: 'ignore' | 'join' | 'pause' }
  | { readonly action: 'open'; readonly epoch: number }
  | { readonly action: 'attempt'; readonly batch: Batch }
  | { readonly action: 'settle'; readonly batch: Batch; readonly answer: AppliedAnswer }
  /** `answer` is null when the store no longer knows. */
  | { readonly action: 'rejoin'; readonly batch: Batch; readonly answer: FencedAnswer | null }
  | { readonly action: 'void'; readonly batch: Batch; readonly row: RowName | undefined; readonly detail: string }
  /** `last` is null when nobody waited for an answer any more. */
  | { readonly action: 'end'; readonly last: LastWord | null }
)

/** The closing batch, and the answer that says that it counts. */
interface LastWord {
  readonly batch: Batch
  readonly answer: AppliedAnswer | FencedAnswer
}

/** The next turn. Total: whatever is met in whatever state, but for what only a bug could bring, which is an assertion. */
export function converse(from: Conversation, occasion: Occasion): Turn {
  switch (occasion.kind) {
    case 'joined':
      return open(from, occasion.epoch)
    case 'send':
      return send(from, occasion.content)
    case 'answer':
      // An answer to an older batch, or to one that was replaced, is no news.
      return occasion.batch === from.batch ? hear(from, occasion.batch, occasion.answer) : ignoring(from)
    case 'replaced':
      return replace(from, occasion.content)
    case 'failed':
      return pause(from)
    case 'retry':
      return tryAgain(from)
    case 'abandon':
      return end(from, 'abandon', null)
  }
}

/** The answer to an earlier join may come late: it is ignored where another one has opened an epoch. */
function open(from: Conversation, epoch: number): Turn {
  const step = stepOf(from, 'joined')
  if (step === null) return ignoring(from)
  const next = { state: step.next, epoch, firstEpoch: from.firstEpoch ?? epoch, seq: 0, batch: null }
  return { next, action: 'open', epoch }
}

function send(from: Conversation, content: BatchContent): Turn {
  const step = stepOf(from, 'send')
  if (step === null) return ignoring(from)
  invariant(from.epoch !== null, 'a batch needs an epoch')
  const batch = { epoch: from.epoch, seq: from.seq + 1, ...content }
  return { next: { ...from, state: step.next, batch }, action: 'attempt', batch }
}

/** What an answer to the batch in flight means. */
function hear(from: Conversation, batch: Batch, answer: Answer): Turn {
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

function settle(from: Conversation, batch: Batch, answer: AppliedAnswer): Turn {
  const step = stepOf(from, 'applied')
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next, seq: batch.seq, batch: null }, action: 'settle', batch, answer }
}

/** O5 */
function rejoin(from: Conversation, event: 'fenced' | 'forgot', batch: Batch, answer: FencedAnswer | null): Turn {
  const step = stepOf(from, event)
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next, epoch: null, batch: null }, action: 'rejoin', batch, answer }
}

/** S6: the batch stays in flight until it is known what remains of it. */
function leaveOut(from: Conversation, batch: Batch, row: RowName | undefined, detail: string): Turn {
  const step = stepOf(from, 'breach')
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next }, action: 'void', batch, row, detail }
}

/** S6: the rest goes out under the same seq. Answers to what it stands for are no news any more. */
function replace(from: Conversation, content: BatchContent): Turn {
  // Whoever heard of the row may have given up.
  if (from.state === 'ended') return ignoring(from)
  invariant(from.state === 'sending' && from.batch !== null, `a batch was replaced while ${from.state}`)
  const { entries, takes, close } = content
  const batch = { ...from.batch, entries, takes, close }
  return { next: { ...from, batch }, action: 'attempt', batch }
}

function pause(from: Conversation): Turn {
  const step = stepOf(from, 'failed')
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next }, action: 'pause' }
}

/** O2: the same batch under the same seq. */
function tryAgain(from: Conversation): Turn {
  const step = stepOf(from, 'retry')
  if (step === null) return ignoring(from)
  const next = { ...from, state: step.next }
  if (step.action === 'join') return { next, action: 'join' }
  invariant(from.batch !== null, 'an attempt needs a batch')
  return { next, action: 'attempt', batch: from.batch }
}

function end(from: Conversation, event: 'closed' | 'abandon', last: LastWord | null): Turn {
  const step = stepOf(from, event)
  if (step === null) return ignoring(from)
  return { next: { ...from, state: step.next, batch: null }, action: 'end', last }
}

/** What the table says; null where it says to ignore. */
function stepOf({ state }: Conversation, event: SessionEvent): SessionStep | null {
  const step = SESSION_TABLE[state][event]
  invariant(step.action !== 'impossible', `the session met ${event} while ${state}`)
  return step.action === 'ignore' ? null : step
}

function ignoring(from: Conversation): Turn {
  return { next: from, action: 'ignore' }
}
