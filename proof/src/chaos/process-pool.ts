import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Random } from 'vsa/testing'
import { Clocks, type ClockStep } from './clocks.ts'
import type { ChildOrder } from './order.ts'
import type { ChaosPlan } from './plan.ts'
import { seededRandom, wholeBetween } from './random.ts'
import type { Tallies } from './tallies.ts'

// The compiled ones, also when this file is run as it is written: children use what users get.
const PROGRAM = fileURLToPath(new URL('../../dist/chaos/child.js', import.meta.url))
const CLOCK_SHIFT = fileURLToPath(new URL('../../dist/chaos/clock-shift.cjs', import.meta.url))
/** One in ten is killed before it has joined, or while it does. */
const START_MOST_MS = 400
const LIFE_MAX_MS = 60_000
const CLOSE_PATIENCE_MS = 15_000
/** A new mint id comes so often. */
const MINT_ID_EVERY_MS = 1_000
const OWN_COUNTER_MOST = 9

/** How the children ended. */
export interface CrewEnd {
  readonly started: number
  readonly kills: number
  /** Stopped for longer than a lease lives, and woken up again. */
  readonly stops: number
  readonly closes: number
  /** Killed while they were closing. */
  readonly killedInClose: number
  /** Wall clocks that jumped while their process ran, and how many of them backwards. */
  readonly clockJumps: number
  readonly jumpsBack: number
  /** The largest offsets that a wall clock had, in ms. */
  readonly aheadMostMs: number
  readonly behindMostMs: number
  /** Ids from 0 up to this one may have been minted. */
  readonly mintIds: number
  /** What children wrote to stderr, and exit codes that should not be. */
  readonly complaints: readonly string[]
}

type Counts = { -readonly [Name in keyof CrewEnd]: CrewEnd[Name] } & { complaints: string[] }

/** Starts children, several at a time, and ends each at a moment drawn from the seed: by SIGKILL, most of them. */
export class Crew {
  readonly #plan: ChaosPlan
  readonly #file: string
  readonly #folder: string
  readonly #tallies: Tallies
  readonly #random: Random
  readonly #clocks: Clocks
  readonly #startedAtMs = nowMs()
  readonly #children = new Set<ChildProcess>()
  /** The tally of the child in each place, until another child has it to give back from. */
  readonly #heirlooms: (string | null)[]
  #isStopped = false
  #announceReady: () => void = () => undefined
  /** Resolves when the first child has joined the store. */
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#announceReady = resolve
  })
  readonly #end: Counts = {
    started: 0,
    kills: 0,
    stops: 0,
    closes: 0,
    killedInClose: 0,
    clockJumps: 0,
    jumpsBack: 0,
    aheadMostMs: 0,
    behindMostMs: 0,
    mintIds: 1,
    complaints: [],
  }

  /** @param folder where the tallies go; each is added to `tallies` when its child has ended */
  constructor(plan: ChaosPlan, file: string, folder: string, tallies: Tallies) {
    this.#plan = plan
    this.#file = file
    this.#folder = folder
    this.#tallies = tallies
    this.#random = seededRandom(plan.seed)
    this.#clocks = new Clocks(this.#random)
    this.#heirlooms = Array.from({ length: plan.processes }, () => null)
  }

  get end(): CrewEnd {
    return this.#end
  }

  /** How much of the run is over, 0 to 1. */
  get part(): number {
    const { until } = this.#plan
    switch (until.kind) {
      case 'time':
        return (nowMs() - this.#startedAtMs) / until.ms
      case 'kills':
        return this.#end.kills / until.count
      case 'closes':
        return this.#end.closes / until.count
    }
  }

  /** Resolves when it is over and no child is left. */
  async run(): Promise<CrewEnd> {
    try {
      await Promise.all(this.#heirlooms.map((_, place) => this.#fill(place)))
    } finally {
      this.stop()
    }
    return this.#end
  }

  /** Kills every child, now. No other is started. */
  stop(): void {
    this.#isStopped = true
    for (const child of this.#children) child.kill('SIGKILL')
  }

  async #fill(place: number): Promise<void> {
    while (!this.#isStopped && this.part < 1) await this.#runChild(place)
  }

  async #runChild(place: number): Promise<void> {
    const end = this.#end
    end.started += 1
    const number = end.started
    const steps = this.#plan.wrongClocks ? this.#clocks.schedule(nowMs(), this.#plan.lifeMostMs, this.part) : []
    const order = this.#orderOf(number, place)
    const child = this.#spawn(order, steps)
    const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal }))
    })
    const isClosed = await this.#live(child, ended, place)
    const { code, signal } = await ended
    this.#children.delete(child)
    this.#tallies.add(order.tally)
    this.#countClocks(steps)
    if (signal === 'SIGKILL') end.kills += 1
    if (signal === 'SIGKILL' && isClosed) end.killedInClose += 1
    if (code === 0) end.closes += 1
    else if (signal !== 'SIGKILL' && signal !== 'SIGTERM')
      end.complaints.push(`child ${number} ended with ${code ?? signal}`)
  }

  #spawn(order: ChildOrder, steps: readonly ClockStep[]): ChildProcess {
    const clock = { NODE_OPTIONS: `--require=${CLOCK_SHIFT}`, VSA_CHAOS_CLOCK: JSON.stringify(steps) }
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(order)], {
      // Its input ends when this process does, however it does.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...(steps.length > 0 && clock) },
    })
    this.#children.add(child)
    child.stdout.once('data', () => this.#announceReady())
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#end.complaints.push(text))
    return child
  }

  /** @returns whether it was asked to close */
  async #live(child: ChildProcess, ended: Promise<unknown>, place: number): Promise<boolean> {
    const { by, leaseTtlMs, lifeMostMs, stopShare } = this.#plan
    const random = this.#random
    const ready = new Promise<void>((resolve) => {
      child.stdout?.once('data', () => resolve())
    })
    if (by === 'kill' && random() < 0.1) await sleep(wholeBetween(random, 0, START_MOST_MS))
    else await Promise.race([ready, ended])
    await sleep(wholeBetween(random, 0, lifeMostMs))
    if (by === 'kill' && random() < stopShare) {
      child.kill('SIGSTOP')
      await sleep(leaseTtlMs * (1.3 + random()))
      child.kill('SIGCONT')
      this.#end.stops += 1
      await sleep(wholeBetween(random, 20, lifeMostMs))
    }
    // The last ones: half of them close, and half leave their leases to whoever comes next.
    const closesLast = this.part >= 1 && place % 2 === 0
    const closes = by === 'close' || closesLast || random() < 0.15
    if (closes) {
      child.kill('SIGTERM')
      // Half of those that close are killed in the middle of it.
      const patienceMs =
        by === 'close' || closesLast || random() < 0.5 ? CLOSE_PATIENCE_MS : wholeBetween(random, 0, 30)
      await Promise.race([ended, sleep(patienceMs)])
    }
    child.kill('SIGKILL')
    return closes
  }

  #orderOf(number: number, place: number): ChildOrder {
    const { leaseTtlMs, subjects, counters, restMostMs } = this.#plan
    const random = this.#random
    const tally = join(this.#folder, `${number}.txt`)
    // There to be read, whenever its child is killed.
    writeFileSync(tally, '')
    const next = (place + 1) % this.#heirlooms.length
    const neighbour = this.#heirlooms[next] ?? null
    this.#heirlooms[next] = null
    this.#heirlooms[place] = tally
    this.#end.mintIds = Math.max(this.#end.mintIds, Math.ceil((nowMs() - this.#startedAtMs) / MINT_ID_EVERY_MS))
    return {
      file: this.#file,
      tally,
      neighbour,
      seed: wholeBetween(random, 1, 2 ** 31),
      thread: random() < 0.7,
      flushIntervalMs: wholeBetween(random, 5, 60),
      leaseTtlMs,
      callers: wholeBetween(random, 1, 12),
      restMostMs,
      lifeMaxMs: LIFE_MAX_MS,
      mintIds: this.#end.mintIds,
      budgets: subjects,
      // One of its own, so that what the others leave open does not hide what is lost of it.
      counters: { ...counters, [`own-${number}`]: OWN_COUNTER_MOST },
    }
  }

  #countClocks(steps: readonly ClockStep[]): void {
    const happened = steps.filter(([atMs]) => atMs <= nowMs()).map(([, offsetMs]) => offsetMs)
    for (const [index, offsetMs] of happened.entries()) {
      this.#end.aheadMostMs = Math.max(this.#end.aheadMostMs, offsetMs)
      this.#end.behindMostMs = Math.max(this.#end.behindMostMs, -offsetMs)
      const before = happened[index - 1]
      if (before === undefined || before === offsetMs) continue
      this.#end.clockJumps += 1
      if (offsetMs < before) this.#end.jumpsBack += 1
    }
  }
}

/** The machine's monotonic clock, which the children's clocks follow too. */
function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
