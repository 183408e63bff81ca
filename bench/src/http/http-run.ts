import autocannon from 'autocannon'
import { join } from 'node:path'
import { median, quantile } from '../measure/median.ts'
import { ServerProcess } from './server-process.ts'
import { type Variant, VARIANTS } from './variants.ts'

export interface HttpSchedule {
  readonly rounds: number
  /** Of each variant in each round, at full speed: the cost of a flush is one of time, not of requests. */
  readonly seconds: number
  readonly connections: number
}

/** One variant in all rounds. */
export interface HttpFigures {
  readonly variant: Variant
  readonly requestsPerSecond: number
  /** Of the server process, all its threads. */
  readonly cpuMicrosecondsPerRequest: number
  /** The same in the least disturbed rounds: the lowest tenth. */
  readonly cpuLowMicrosecondsPerRequest: number
  /** Beyond the bare route of the same framework in the same round; 0 for the bare route. */
  readonly overheadMicroseconds: number
}

/** All variants, in one way of asking. */
export interface HttpTable {
  readonly figures: readonly HttpFigures[]
  /** The overhead of VSA divided by that of the rival: of the medians, and of the least disturbed rounds. */
  readonly ratios: readonly {
    readonly variant: Variant
    readonly rival: Variant
    readonly ratio: number
    readonly lowRatio: number
  }[]
}

export interface HttpRun {
  /** Through connections. */
  readonly network: HttpTable
  /** Without: see `directRequests`. */
  readonly direct: HttpTable
  /** Each budget has spent what its handler has served. */
  readonly balanced: boolean
}

/** Until the code is compiled. */
const WARM_UP_ROUNDS = 2

interface Round {
  readonly perSecond: number
  readonly cpuMicroseconds: number
}

/** Measures all variants in rounds, every other round in reverse order. The first rounds warm up, and are left out. */
export async function httpRun(folder: string, { rounds, seconds, connections }: HttpSchedule): Promise<HttpRun> {
  const servers = VARIANTS.map((variant, at) => new ServerProcess(variant, join(folder, `${at}.db`)))
  const network = new Map<Variant, Round[]>(VARIANTS.map((variant) => [variant, []]))
  const direct = new Map<Variant, Round[]>(VARIANTS.map((variant) => [variant, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const measured = await measure(server, () => ask(server, seconds, connections))
      if (round >= 0) network.get(server.variant)?.push(measured)
    }
    // Apart, so that no connection is open and each slice comes soon after the bare one.
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const measured = await measure(server, () => server.direct())
      if (round >= 0) direct.get(server.variant)?.push(measured)
    }
  }
  const closed = await Promise.all(servers.map((server) => server.close()))
  const balanced = closed.every(({ handled, used }) => used === null || used === handled)
  return { network: tableOf(network), direct: tableOf(direct), balanced }
}

function tableOf(seen: ReadonlyMap<Variant, readonly Round[]>): HttpTable {
  const of = (variant: Variant): readonly Round[] => seen.get(variant) ?? []
  return { figures: VARIANTS.map((variant) => figuresOf(variant, of)), ratios: ratiosOf(of) }
}

async function ask(server: ServerProcess, seconds: number, connections: number): Promise<void> {
  const result = await autocannon({ url: await server.url(), connections, duration: seconds })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${server.variant}: ${result.non2xx} refused, ${result.errors} failed`)
}

async function measure(server: ServerProcess, run: () => Promise<unknown>): Promise<Round> {
  const before = await server.usage()
  const startedAtMs = performance.now()
  await run()
  const seconds = (performance.now() - startedAtMs) / 1_000
  const after = await server.usage()
  const handled = after.handled - before.handled
  return {
    perSecond: handled / seconds,
    cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / handled,
  }
}

function figuresOf(variant: Variant, of: (variant: Variant) => readonly Round[]): HttpFigures {
  return {
    variant,
    requestsPerSecond: median(of(variant).map(({ perSecond }) => perSecond)),
    cpuMicrosecondsPerRequest: median(of(variant).map(({ cpuMicroseconds }) => cpuMicroseconds)),
    cpuLowMicrosecondsPerRequest: low(of(variant)),
    overheadMicroseconds: median(overheads(variant, of)),
  }
}

/** By round. */
function overheads(variant: Variant, of: (variant: Variant) => readonly Round[]): readonly number[] {
  const bare = of(bareOf(variant))
  return of(variant).map(({ cpuMicroseconds }, at) => cpuMicroseconds - (bare[at]?.cpuMicroseconds ?? Number.NaN))
}

function ratiosOf(of: (variant: Variant) => readonly Round[]): HttpTable['ratios'] {
  return VARIANTS.filter((variant) => variant.includes('vsa')).map((variant) => {
    const rival = variant.startsWith('fastify') ? 'fastify @fastify/rate-limit' : 'express express-rate-limit'
    const bare = low(of(bareOf(variant)))
    const lowRatio = (low(of(variant)) - bare) / (low(of(rival)) - bare)
    return { variant, rival, ratio: median(overheads(variant, of)) / median(overheads(rival, of)), lowRatio }
  })
}

function bareOf(variant: Variant): Variant {
  return variant.startsWith('fastify') ? 'fastify bare' : 'express bare'
}

function low(rounds: readonly Round[]): number {
  return quantile(
    rounds.map(({ cpuMicroseconds }) => cpuMicroseconds),
    0.1,
  )
}
