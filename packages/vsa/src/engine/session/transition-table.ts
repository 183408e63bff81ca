/**
 * The owner's session with the store as a total table: every state has an entry for every event, so the compiler finds a missing case.
 * `docs/spec.md` shows the same table, and a test compares the two.
 */
export type SessionState = 'joining' | 'ready' | 'sending' | 'resending' | 'ended'

export type SessionEvent =
  /** The store gave an epoch. A late answer to an earlier join is ignored once an epoch is open. */
  | 'joined'
  /** A batch is to be sent. */
  | 'send'
  /** `applied` or `replayed`: the batch in flight counts, once. */
  | 'applied'
  /** The batch in flight closed the epoch: applied, or fenced with its own seq (S9). */
  | 'closed'
  /** The epoch is over (O5). */
  | 'fenced'
  /** `stale`, `lost`, or a row that is gone under a lease: the store has lost acknowledged writes (F9). */
  | 'forgot'
  /** The books of one row do not balance: nothing was applied (S6). */
  | 'breach'
  /** An attempt failed or timed out. */
  | 'failed'
  /** The pause after a failed attempt is over. */
  | 'retry'
  /** The engine gives up: nothing more is sent. */
  | 'abandon'

export type SessionAction =
  | 'join'
  | 'open'
  | 'attempt'
  | 'settle'
  | 'end'
  | 'rejoin'
  | 'leave'
  | 'void'
  | 'pause'
  | 'ignore'
  /** A bug in the engine. */
  | 'impossible'

export interface SessionStep {
  readonly next: SessionState
  readonly action: SessionAction
}

const ignoring = (state: SessionState): SessionStep => ({ next: state, action: 'ignore' })
/** It throws: there is no next state. */
const IMPOSSIBLE: SessionStep = { next: 'ended', action: 'impossible' }
const END: SessionStep = { next: 'ended', action: 'end' }

/** A batch is in flight, its attempt sent or waiting to be sent again: a certain answer to any attempt counts. */
const IN_FLIGHT = {
  send: IMPOSSIBLE,
  applied: { next: 'ready', action: 'settle' },
  closed: END,
  fenced: { next: 'joining', action: 'rejoin' },
  forgot: { next: 'joining', action: 'rejoin' },
  breach: { next: 'sending', action: 'void' },
  abandon: END,
} as const

export const SESSION_TABLE: Readonly<Record<SessionState, Readonly<Record<SessionEvent, SessionStep>>>> = {
  joining: {
    joined: { next: 'ready', action: 'open' },
    send: IMPOSSIBLE,
    applied: ignoring('joining'),
    closed: ignoring('joining'),
    fenced: ignoring('joining'),
    forgot: ignoring('joining'),
    breach: ignoring('joining'),
    failed: { next: 'joining', action: 'pause' },
    retry: { next: 'joining', action: 'join' },
    abandon: END,
  },
  ready: {
    joined: ignoring('ready'),
    send: { next: 'sending', action: 'attempt' },
    applied: ignoring('ready'),
    closed: ignoring('ready'),
    fenced: ignoring('ready'),
    forgot: { next: 'joining', action: 'leave' },
    breach: ignoring('ready'),
    failed: ignoring('ready'),
    retry: ignoring('ready'),
    abandon: END,
  },
  sending: {
    ...IN_FLIGHT,
    joined: ignoring('sending'),
    failed: { next: 'resending', action: 'pause' },
    retry: ignoring('sending'),
  },
  resending: {
    ...IN_FLIGHT,
    joined: ignoring('resending'),
    failed: ignoring('resending'),
    retry: { next: 'sending', action: 'attempt' },
  },
  ended: {
    joined: ignoring('ended'),
    send: IMPOSSIBLE,
    applied: ignoring('ended'),
    closed: ignoring('ended'),
    fenced: ignoring('ended'),
    forgot: ignoring('ended'),
    breach: ignoring('ended'),
    failed: ignoring('ended'),
    retry: ignoring('ended'),
    abandon: ignoring('ended'),
  },
}
