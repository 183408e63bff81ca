import { difference, type Meter } from '../meters/meter.ts'
import { noMeter } from '../meters/no-meter.ts'
import { postgresMeter } from '../meters/postgres-meter.ts'
import { redisMeter } from '../meters/redis-meter.ts'
import { Place } from '../contenders/place.ts'
import type { Contender, Limiter } from '../contenders/contender.ts'
import type { Trace } from '../workloads/trace.ts'
import { ClosedLoop } from './closed-loop.ts'
import { Ledger } from './ledger.ts'
import type { Answers, Command, FiguresAt, OpenStretch, Stretch } from './messages.ts'
import { openLoop } from './open-loop.ts'
import { stepsOf, type Steps } from './steps.ts'

/** The place, and the URL with which the server's counts are read. */
type OpenCommand = Extract<Command, { do: 'open' }>

/** One open contender, with what its callers were told. */
export class Subject {
  readonly #limiter: Limiter
  readonly #place: Place
  readonly #meter: Meter
  readonly #trace: Trace
  readonly #ledger: Ledger
  readonly #steps: Steps
  readonly #loop: ClosedLoop
  readonly #memoryBefore: number
  #cursor = 0

  private constructor(limiter: Limiter, place: Place, meter: Meter, trace: Trace, memoryBefore: number) {
    this.#limiter = limiter
    this.#place = place
    this.#meter = meter
    this.#trace = trace
    this.#memoryBefore = memoryBefore
    this.#ledger = new Ledger(trace)
    this.#steps = stepsOf(limiter, trace, this.#ledger)
    this.#loop = new ClosedLoop(this.#steps, trace, this.#ledger)
  }

  static async open(contender: Contender, trace: Trace, { place: facts, adminUrl }: OpenCommand): Promise<Subject> {
    const memoryBefore = process.memoryUsage().rss
    const place = new Place(facts)
    const limiter = await contender.open(place, trace)
    return new Subject(limiter, place, await meterOf(contender, limiter, place, adminUrl), trace, memoryBefore)
  }

  async closedLoop({ callers, seconds, warmUpSeconds }: Extract<Command, { do: 'closed-loop' }>): Promise<Stretch> {
    if (warmUpSeconds > 0) await this.#loop.run(callers, warmUpSeconds)
    return (await this.#measured(() => this.#loop.run(callers, seconds))).stretch
  }

  async openLoop({ rate, seconds, warmUpSeconds }: Extract<Command, { do: 'open-loop' }>): Promise<OpenStretch> {
    const run = async (seconds: number): Promise<Awaited<ReturnType<typeof openLoop>>> => {
      const done = await openLoop(this.#steps, this.#trace, this.#cursor, { rate, seconds })
      this.#cursor = done.cursor
      return done
    }
    if (warmUpSeconds > 0) await run(warmUpSeconds)
    const { stretch, result } = await this.#measured(() => run(seconds))
    return { ...stretch, latency: result.latency }
  }

  /** Full speed, with the figures from time to time. */
  async figures({ callers, seconds, everyMs }: Extract<Command, { do: 'figures' }>): Promise<readonly FiguresAt[]> {
    const { figures } = this.#limiter
    if (figures === undefined) throw new Error('this contender has no figures')
    const startedAtMs = performance.now()
    const all: FiguresAt[] = []
    const look = (): void => {
      all.push({ seconds: (performance.now() - startedAtMs) / 1_000, ...figures() })
    }
    const timer = setInterval(look, everyMs)
    await this.#loop.run(callers, seconds)
    clearInterval(timer)
    look()
    return all
  }

  async pause(): Promise<null> {
    await this.#limiter.pause?.()
    return null
  }

  async close(): Promise<Answers['close']> {
    await this.#limiter.close()
    return { net: this.#ledger.net, skippedRefunds: this.#ledger.skipped }
  }

  books(): Promise<Answers['books']> {
    return this.#limiter.books()
  }

  async end(): Promise<null> {
    await this.#place.end()
    await this.#meter.end()
    return null
  }

  async #measured<Result>(run: () => Promise<Result>): Promise<{ stretch: Stretch; result: Result }> {
    const { admitted, denied, refunds } = this.#ledger
    const exchanges = this.#limiter.exchanges?.() ?? null
    const before = await this.#meter.read()
    const cpu = process.cpuUsage()
    const startedAtMs = performance.now()
    const result = await run()
    const seconds = (performance.now() - startedAtMs) / 1_000
    const used = process.cpuUsage(cpu)
    const counts = difference(await this.#meter.read(), before)
    const stretch: Stretch = {
      seconds,
      admitted: this.#ledger.admitted - admitted,
      denied: this.#ledger.denied - denied,
      refunds: this.#ledger.refunds - refunds,
      cpuMs: (used.user + used.system) / 1_000,
      memoryBytes: Math.max(0, process.memoryUsage().rss - this.#memoryBefore),
      exchanges: exchanges === null ? null : (this.#limiter.exchanges?.() ?? 0) - exchanges,
      counts,
    }
    return { stretch, result }
  }
}

async function meterOf(contender: Contender, limiter: Limiter, place: Place, url: string): Promise<Meter> {
  switch (contender.store) {
    case 'memory':
      return noMeter(() => limiter.exchanges?.() ?? 0)
    case 'sqlite':
      // It counts from its import on, so it is imported in the processes of these contenders alone.
      return (await import('../meters/sqlite-meter.ts')).sqliteMeter()
    case 'postgres':
      return postgresMeter(url, place.name, () => place.reportStatistics())
    case 'redis':
      return redisMeter(url, contender.asksBy ?? 'scripts')
  }
}
