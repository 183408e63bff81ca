import type { StoreError } from '../../core/errors.ts'
import type { Plan } from '../../core/plan.ts'
import type { Policy } from '../../core/policy.ts'
import { CHANGE_LATE, closedError, quarantinedError, samePeriodError } from '../api/errors.ts'
import type { PolicyChange } from '../budget/budget-history.ts'
import type { Gate } from '../budget/gate.ts'
import type { PolicyCache } from '../budget/policy-cache.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { RowCall } from '../requests/policy-call.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import { type BudgetCallParts, BudgetCalls } from './budget-calls.ts'
import { PolicyVersions } from './policy-versions.ts'

export interface PolicyChangeParts extends BudgetCallParts {
  readonly leases: LeaseTable
  readonly intake: ChangeIntake
  readonly policies: PolicyCache
}

/** P1, P3, P5: the policy of a budget changes while processes run, and what was spent is forgotten. */
export class PolicyChanges {
  readonly #parts: PolicyChangeParts
  readonly #calls: BudgetCalls
  readonly #versions: PolicyVersions

  constructor(parts: PolicyChangeParts) {
    this.#parts = parts
    this.#calls = new BudgetCalls(parts, { no: 'nothing was changed', unknown: CHANGE_LATE })
    this.#versions = new PolicyVersions(parts.settings)
  }

  /** @param isOwn the family of the budget does not know of it */
  async setPolicy(handle: Gate, policy: Policy, isOwn: boolean): Promise<void> {
    const plan = this.#parts.policies.of(policy)
    return this.#calls.make(handle, async (asked, { reply, attempt }) => {
      const noteError = (error: StoreError): void => void (attempt.lastError = error)
      const version = await this.#versions.next(asked.key, { waits: () => !reply.settled, noteError })
      if (reply.settled) return
      if (this.#parts.isClosed()) throw closedError(asked.key)
      // It may have been evicted meanwhile.
      const gate = asked.family.live(asked)
      this.#change(gate, plan, { version, isOwn })
      attempt.applied = 'unknown'
      this.#send(gate, { kind: 'policy', version, reply })
    })
  }

  async reset(handle: Gate): Promise<void> {
    return this.#calls.make(handle, async (gate, { reply, attempt }) => {
      attempt.applied = 'unknown'
      this.#send(gate, { kind: 'reset', reply })
    })
  }

  /** P3: another kind, or another `per`, is another row: the old one's lease goes back at once. */
  #change(gate: Gate, plan: Plan, change: Pick<PolicyChange, 'version' | 'isOwn'>): void {
    const { leases, session } = this.#parts
    const { declared, plan: before } = gate
    // Of two at once, the later one counts, whichever is answered first.
    if ((gate.history?.changed?.version ?? 0) > change.version) return
    const isSameRow = hasSameRows(before, plan, session.time)
    if (!isSameRow) assertOtherStart(gate, plan, session.time)
    if (!isSameRow) leases.leave(gate)
    gate.plan = plan
    gate.remember().changed = { declared, before, ...change }
    if (!isSameRow) gate.forgetRow()
  }

  #send(gate: Gate, call: RowCall): void {
    const { intake, leases } = this.#parts
    const live = gate.family.live(gate)
    const row = leases.current(live)
    if (row.isQuarantined) throw quarantinedError(live.key)
    intake.callRow(row, call)
    if (call.kind === 'policy' && live.upcoming !== null)
      this.#sendAhead(live.upcoming.key, live.upcoming.window.start, call.version)
  }

  /** The row of the next period was fetched ahead, with the policy of before. */
  #sendAhead(key: string, period: number, version: number): void {
    const { calls, intake, leases, settings } = this.#parts
    const ahead = leases.find(key, period)
    if (ahead === undefined || ahead.isQuarantined) return
    const reply = calls.open<void>({ key, deadlineMs: settings.deadlineMs, timedOut: () => new Error('unheard') })
    // The caller waits for the present row alone.
    reply.promise.catch(() => undefined)
    intake.callRow(ahead, { kind: 'policy', version, reply })
  }
}

/** P3: a row is named by its key and its start: two periods that begin together would be one row. @throws VsaError `policy_conflict` */
function assertOtherStart({ key, plan }: Gate, next: Plan, time: number): void {
  const [mine, theirs] = [plan.windowAt(time), next.windowAt(time)]
  if (plan.kind !== next.kind || mine.start !== theirs.start || mine.end === theirs.end) return
  throw samePeriodError(key, Math.min(mine.end, theirs.end) - time)
}

/** Whether both policies are about the same rows, now and next. */
function hasSameRows(one: Plan, other: Plan, time: number): boolean {
  if (one.kind !== other.kind) return false
  const [mine, theirs] = [one.windowAt(time), other.windowAt(time)]
  if (mine.start !== theirs.start || mine.end !== theirs.end) return false
  return mine.end === Infinity || one.after(mine).end === other.after(theirs).end
}
