import type { Clock } from '../../../packages/vsa/dist/core/clock.js'
import type { Account } from '../../../packages/vsa/dist/engine/rows/row-lease.js'
import type { Accounts } from '../../../packages/vsa/dist/engine/rows/lease-table.js'
import type { Backlog } from '../../../packages/vsa/dist/engine/exchange/send-queue.js'
import type { Conversation } from '../../../packages/vsa/dist/engine/session/state-machine.js'
import type { Desk } from '../../../packages/vsa/dist/engine/admission/admission-controller.js'
import type { Family } from '../../../packages/vsa/dist/engine/budget/family.js'
import type { Flusher } from '../../../packages/vsa/dist/engine/exchange/flush-scheduler.js'
import type { Gate } from '../../../packages/vsa/dist/engine/budget/gate.js'
import type { Session } from '../../../packages/vsa/dist/engine/session/session.js'
import type { OpenSettings } from '../../../packages/vsa/dist/engine/api/settings.js'
import type { Tally } from '../../../packages/vsa/dist/engine/runtime/metrics.js'
import type { Waiter } from '../../../packages/vsa/dist/engine/requests/pending-request.js'
import type { Waiters } from '../../../packages/vsa/dist/engine/requests/wait-queue.js'

/*
 * What stands in for the parts of an engine that schedule, so that the model does it instead. Each has only what the production code under
 * it asks for: hence the casts.
 */

/** Time stands still within a step, and nothing happens by itself. */
export const CLOCK: Clock = {
  now: () => 0,
  monotonic: () => 0,
  timer: () => ({ cancel: (): void => undefined }),
  soon: (): void => undefined,
}

export const SETTINGS: OpenSettings = {
  clock: CLOCK,
  flushIntervalMs: 100,
  deadlineMs: 1_000,
  waitersMax: 1_000,
  thresholds: [],
  announce: (): void => undefined,
} as unknown as OpenSettings

export function sessionOf({ epoch, firstEpoch }: Conversation): Session {
  const session = { hasJoined: firstEpoch !== null, epoch, time: 0, leaseTtlMs: 1_000, lastError: null }
  return session as unknown as Session
}

/** @param desk made when it is asked for: most steps need none */
export function familyOf(tally: Tally, desk: () => Desk): Family {
  const family = {
    tally,
    keyOf: (id: string) => id,
    live: (gate: Gate) => gate,
    tryAdmitSlowly: (gate: Gate, units: number) => desk().tryAdmit(gate, units),
    get desk() {
      return desk()
    },
  }
  return family as unknown as Family
}

/** One account for each row, for ever: which one is current, and when one is dropped, is scheduling. */
export function accountsOf(gates: readonly Gate[], accounts: readonly Account[]): Accounts {
  const all = {
    leasedUnits: 0,
    all: () => accounts.values(),
    touch: () => undefined,
    find: () => undefined,
    current: (gate: Gate) => accounts[gates.indexOf(gate)],
    dropIfIdle: () => false,
  }
  return all as unknown as Accounts
}

/** What the desk asks of the flusher, less the scheduling. */
export function flusherOf(backlog: Backlog, waiters: Waiters): Flusher {
  const flusher = {
    ended: false,
    spent: (account: Account) => {
      backlog.markDirty(account)
      account.settleFloor()
    },
    askLease: () => undefined,
    refund: (account: Account, units: number) => {
      account.giveBack(units)
      if (account.refund > 0) backlog.markDirty(account)
    },
    confirm: (account: Account, waiter: Waiter) => waiters.confirm(account.confirming, waiter),
    wake: () => undefined,
  }
  return flusher as unknown as Flusher
}
