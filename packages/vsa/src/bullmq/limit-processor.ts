import { VsaError, type Admitted, type Budget, type Decision } from '../index.ts'
import { admissionId, type IdentifiedJob } from './admission-id.ts'
import { failedForGood, postponed } from './job-errors.ts'

/** What is needed of a `Job` of BullMQ 5 or 6. */
export interface LimitedJob extends IdentifiedJob {
  /** Attempts that have ended. */
  readonly attemptsMade: number
  readonly opts: { readonly attempts?: number | undefined }
  moveToDelayed(timestamp: number, token?: string): Promise<void>
}

/** The function that a `Worker` of BullMQ calls. */
export type LimitedProcessor<J, R> = (job: J, token?: string, signal?: AbortSignal) => Promise<R>

export interface JobLimitOptions<J> {
  /** The budget that the job is charged to, such as `(job) => mails.of(job.data.tenant)`. */
  readonly budget: (job: J) => Budget
  /** What the job costs, at least 1. Default 1. */
  readonly units?: (job: J) => number
  /**
   * A job is admitted once, however often it is tried again: after a failure, a worker that died, or a retry by hand within 7 days. It costs a durable
   * record for each job. Default false: each attempt is admitted by itself.
   */
  readonly once?: boolean
  /** Gives the units back when an attempt fails; with `once`, when the job has failed for good. Default false. */
  readonly refundOnFailure?: boolean
  /** How long a job waits where the budget does not say when there are units again, in ms: one with `initial`. Default 60,000. */
  readonly delayMs?: number
  /** The time, ms since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** How long a job waits while the store cannot be reached. */
const STORE_DELAY_MS = 5_000

/**
 * Wraps the processor of a BullMQ worker: a job runs when its budget admits it. A job that is denied is delayed until there may be units, and so is
 * one whose store cannot be reached (5 s); neither uses up an attempt, and the jobs of other budgets go on. A job that costs more than the
 * whole limit of a window, or whose units were given back under `once`, fails for good.
 *
 * ```ts
 * new Worker('mails', limitProcessor(send, { budget: (job) => mails.of(job.data.tenant) }), { connection })
 * ```
 * The worker's `maxStartedAttempts` counts delays, too: leave it out. A refund that the store does not take leaves the units spent.
 * @throws TypeError that names an unknown option
 */
export function limitProcessor<J extends LimitedJob, R>(
  processor: LimitedProcessor<J, R>,
  options: JobLimitOptions<J>,
): LimitedProcessor<J, R> {
  const { budget, units = () => 1, once = false, refundOnFailure = false, ...rest } = options
  const { delayMs = 60_000, now = Date.now, ...unknown } = rest
  for (const option of Object.keys(unknown)) throw new TypeError(`options.${option} is not known`)

  return async (job, token, signal) => {
    const charge: Charge = { budget: budget(job), units: units(job), ...(once ? { id: admissionId(job) } : {}) }
    if (charge.units === 0) throw new RangeError('options.units must answer at least 1 unit: a job of 0 has no limit')
    const decision = await decided(charge)
    if (decision?.admitted !== true) {
      await job.moveToDelayed(now() + waitMs(decision, delayMs), token)
      throw postponed(charge.budget.key)
    }
    try {
      return await processor(job, token, signal)
    } catch (error) {
      if (refundOnFailure) await giveBack(charge, decision, job, error)
      throw error
    }
  }
}

interface Charge {
  readonly budget: Budget
  readonly units: number
  /** With `once`. */
  readonly id?: string
}

/** Null: the store cannot be reached. @throws an error that fails the job for good where waiting does not help */
async function decided({ budget, units, id }: Charge): Promise<Decision | null> {
  try {
    const decision = await budget.decide(units, id === undefined ? {} : { id })
    // What was minted of credits may become more; the limit of a window does not.
    if (decision.reason === 'over-limit' && decision.resetAtMs !== undefined) {
      throw failedForGood(`${budget.key}: the job costs ${units} units, and the limit is ${decision.limit}`)
    }
    if (decision.reason === 'refunded') throw failedForGood(`${budget.key}: the units of the job were given back`)
    return decision
  } catch (error) {
    if (error instanceof VsaError && error.statusCode === 503) return null
    throw error
  }
}

function waitMs(decision: Decision | null, delayMs: number): number {
  if (decision === null || decision.reason === 'unavailable') return STORE_DELAY_MS
  return decision.retryAfterMs ?? delayMs
}

async function giveBack(charge: Charge, decision: Admitted, job: LimitedJob, error: unknown): Promise<void> {
  const { budget, units, id } = charge
  const name = error instanceof Error ? error.name : ''
  // The processor has put the job off by itself.
  if (/^(Delayed|Waiting|WaitingChildren|RateLimit)Error$/.test(name)) return
  const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1) || name === 'UnrecoverableError'
  try {
    if (id === undefined) budget.refund(units, decision)
    else if (isLast && units > 0) await budget.refund(units, { id })
  } catch (refused) {
    // The job's own error says more than that of a store that is away.
    if (!(refused instanceof VsaError)) throw refused
  }
}
