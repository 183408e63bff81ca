import { setMaxListeners } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { CallTotals } from './call-totals.ts'
import type { ChaosPlan } from './chaos-plan.ts'
import type { ChildConfig } from './child-config.ts'
import { ChildProcess, type ChildEnd } from './child-process.ts'
import { ClockSchedule, countClockSteps, type ClockCounts } from './clock-schedule.ts'
import { Rng } from '../simulation/rng.ts'

/** One in ten children is killed before it has joined the store, or while it joins. */
const EARLY_KILL_SHARE = 0.1
const EARLY_KILL_MAX_MS = 400
/** Limits for a machine under load, not measurements. */
const CHILD_LIFE_MAX_MS = 600_000
const CLOSE_TIMEOUT_MS = 120_000
const MINT_ID_INTERVAL_MS = 1_000
const OWN_COUNTER_MAX = 9

/** What happened to the children. */
export interface PoolResult {
  readonly started: number
  readonly kills: number
  /** Pauses longer than a lease lives, after which the child went on. */
  readonly pauses: number
  readonly closes: number
  /** Killed during close. */
  readonly killedInClose: number
  readonly clocks: Readonly<ClockCounts>
  /** The ids from 0 up to this one may have been minted. */
  readonly mintIds: number
  /** What children wrote to standard error, and unexpected exit codes. */
  readonly childErrors: readonly string[]
}

export interface PoolOptions {
  /** As for `storeAt`. */
  readonly place: string
  /** The folder of the call logs. */
  readonly logFolder: string
  /** Each call log is added here when its child has ended. */
  readonly totals: CallTotals
  /** Called once, when a child has joined the store. */
  readonly onFirstReady: () => void
}

/** Keeps a number of children running on one store, and ends each at a moment drawn from the seed, most of them by SIGKILL. */
export class ProcessPool {
  readonly #plan: ChaosPlan
  readonly #options: PoolOptions
  readonly #rng: Rng
  readonly #clocks: ClockSchedule
  readonly #startedAtMs = monotonicMs()
  readonly #children = new Set<ChildProcess>()
  readonly #stopping = new AbortController()
  /** By slot: the log of its last child, until another child takes it to refund from. */
  readonly #freeLogs: (string | null)[]
  #isReady = false
  readonly #counts = { started: 0, kills: 0, pauses: 0, closes: 0, killedInClose: 0, mintIds: 1 }
  readonly #clockCounts: ClockCounts = { jumps: 0, jumpsBack: 0, aheadMaxMs: 0, behindMaxMs: 0 }
  readonly #childErrors: string[] = []

  constructor(plan: ChaosPlan, options: PoolOptions) {
    this.#plan = plan
    this.#options = options
    this.#rng = new Rng(plan.seed)
    this.#clocks = new ClockSchedule(this.#rng)
    this.#freeLogs = Array.from({ length: plan.processes }, () => null)
    // A wait for the end of a child goes on when the child has ended: there are more of them than children.
    setMaxListeners(0, this.#stopping.signal)
  }

  get result(): PoolResult {
    return { ...this.#counts, clocks: this.#clockCounts, childErrors: this.#childErrors }
  }

  /** The elapsed fraction of the run, from 0 to slightly above 1. */
  get fraction(): number {
    const { until } = this.#plan
    switch (until.kind) {
      case 'time':
        return (monotonicMs() - this.#startedAtMs) / until.ms
      case 'kills':
        return this.#counts.kills / until.count
      case 'closes':
        return this.#counts.closes / until.count
    }
  }

  /** Resolves when the run is over and no child is left. */
  async run(): Promise<PoolResult> {
    const slots = await Promise.allSettled(this.#freeLogs.map((_, slot) => this.#runSlot(slot)))
    for (const slot of slots) if (slot.status === 'rejected') throw slot.reason
    return this.result
  }

  /** Kills every child, and starts no other. `run` then resolves. */
  stop(): void {
    this.#stopping.abort()
    for (const child of this.#children) child.send('SIGKILL')
  }

  async #runSlot(slot: number): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted && this.fraction < 1) await this.#runChild(slot)
    } catch (error) {
      this.stop()
      throw error
    }
  }

  async #runChild(slot: number): Promise<void> {
    this.#counts.started += 1
    const number = this.#counts.started
    const { wrongClocks, lifeMaxMs } = this.#plan
    const steps = wrongClocks ? this.#clocks.draw(monotonicMs(), lifeMaxMs, this.fraction) : []
    const config = this.#configure(number, slot)
    const child = new ChildProcess(config, steps)
    this.#children.add(child)
    try {
      const isClosing = await this.#liveAndEnd(child, slot)
      this.#countEnd(number, await child.ended, isClosing)
      this.#options.totals.add(config.callLog)
      countClockSteps(this.#clockCounts, steps, monotonicMs())
    } finally {
      this.#children.delete(child)
    }
  }

  /** @returns whether the child was asked to close */
  async #liveAndEnd(child: ChildProcess, slot: number): Promise<boolean> {
    const { by, lifeMaxMs, pauseShare } = this.#plan
    if (by === 'kill' && this.#rng.chance(EARLY_KILL_SHARE)) await this.#sleep(this.#rng.whole(0, EARLY_KILL_MAX_MS))
    else await this.#join(child)
    await this.#sleep(this.#rng.whole(0, lifeMaxMs))
    if (by === 'kill' && this.#rng.chance(pauseShare)) await this.#pause(child)
    // At the end of the run, half of the children close and half leave their leases to the final verifier.
    const closesLast = this.fraction >= 1 && slot % 2 === 0
    const isClosing = by === 'close' || closesLast || this.#rng.chance(0.15)
    if (isClosing) await this.#close(child, by === 'close' || closesLast)
    child.send('SIGKILL')
    return isClosing
  }

  async #join(child: ChildProcess): Promise<void> {
    const hasJoined = await child.ready
    if (this.#isReady || !hasJoined) return
    this.#isReady = true
    this.#options.onFirstReady()
  }

  async #pause(child: ChildProcess): Promise<void> {
    const { leaseTtlMs, lifeMaxMs } = this.#plan
    child.send('SIGSTOP')
    await this.#sleep(leaseTtlMs * (1.3 + this.#rng.random()))
    child.send('SIGCONT')
    this.#counts.pauses += 1
    await this.#sleep(this.#rng.whole(20, lifeMaxMs))
  }

  /** Half of the children that close are killed while they do, unless `isPatient`. */
  async #close(child: ChildProcess, isPatient: boolean): Promise<void> {
    child.send('SIGTERM')
    const timeoutMs = isPatient || this.#rng.chance(0.5) ? CLOSE_TIMEOUT_MS : this.#rng.whole(0, 30)
    await Promise.race([child.ended, this.#sleep(timeoutMs)])
  }

  #countEnd(number: number, { code, signal, stderr }: ChildEnd, isClosing: boolean): void {
    if (signal === 'SIGKILL') this.#counts.kills += 1
    if (signal === 'SIGKILL' && isClosing) this.#counts.killedInClose += 1
    if (code === 0) this.#counts.closes += 1
    else if (signal !== 'SIGKILL' && signal !== 'SIGTERM')
      this.#childErrors.push(`child ${number} ended with ${code ?? signal}`)
    if (stderr !== '') this.#childErrors.push(stderr)
  }

  #configure(number: number, slot: number): ChildConfig {
    const { leaseTtlMs, budgets, counters, pauseMaxMs } = this.#plan
    const callLog = join(this.#options.logFolder, `${number}.txt`)
    // It exists even when the child is killed before it opens it.
    writeFileSync(callLog, '')
    const otherCallLog = this.#takeLog((slot + 1) % this.#freeLogs.length)
    this.#freeLogs[slot] = callLog
    const mintIds = Math.ceil((monotonicMs() - this.#startedAtMs) / MINT_ID_INTERVAL_MS)
    this.#counts.mintIds = Math.max(this.#counts.mintIds, mintIds)
    return {
      place: this.#options.place,
      callLog,
      otherCallLog,
      seed: this.#rng.whole(1, 2 ** 31 - 1),
      thread: this.#rng.chance(0.7),
      flushIntervalMs: this.#rng.whole(5, 60),
      leaseTtlMs,
      callers: this.#rng.whole(1, 12),
      pauseMaxMs,
      lifeMaxMs: CHILD_LIFE_MAX_MS,
      mintIds: this.#counts.mintIds,
      budgets,
      // The counter of this child alone: what other children leave unknown cannot hide a lost add.
      counters: { ...counters, [`own-${number}`]: OWN_COUNTER_MAX },
    }
  }

  #takeLog(slot: number): string | null {
    const log = this.#freeLogs[slot] ?? null
    this.#freeLogs[slot] = null
    return log
  }

  /** Ends early when the pool is stopped. The timer keeps no process alive. */
  async #sleep(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { ref: false, signal: this.#stopping.signal }).catch(() => undefined)
  }
}

/** The machine's monotonic clock, which the clocks of the children use too. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
