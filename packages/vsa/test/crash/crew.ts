import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Policy } from '../../src/core/policy.ts'
import { seededRandom, type Random } from '../../src/testing/index.ts'
import { wholeBetween } from '../../src/testing/random.ts'

const PROGRAM = fileURLToPath(new URL('child.mjs', import.meta.url))
/** How long a child lives after it has joined the store. */
const LIFE_MOST_MS = 400
/** One in ten is killed before it has joined, or while it does. */
const START_MOST_MS = 400

/** What one child is told; see child.mjs. */
export interface ChildOrder {
  readonly file: string
  readonly tally: string
  readonly seed: number
  readonly thread: boolean
  readonly flushIntervalMs: number
  readonly leaseTtlMs: number
  readonly callers: number
  readonly lifeMaxMs: number
  readonly policies: Readonly<Record<string, Policy>>
  readonly durable: readonly string[]
  readonly refunded: readonly string[]
}

export interface CrewPlan extends Pick<ChildOrder, 'file' | 'leaseTtlMs' | 'policies' | 'durable' | 'refunded'> {
  /** Where the tallies go. */
  readonly folder: string
  /** Children alive at once. */
  readonly children: number
  /** How they end: by `kill`, most of them by SIGKILL; by `close`, all of them as SIGTERM asks. */
  readonly by: 'kill' | 'close'
  /** Children that must have ended that way before the crew stops. */
  readonly ends: number
  readonly seed: number
}

/** How the children ended. */
export interface CrewEnd {
  readonly kills: number
  /** Stopped for longer than a lease lives, and woken up again. */
  readonly pauses: number
  readonly closes: number
  /** Killed while they were closing. */
  readonly killedInClose: number
  /** What children wrote to stderr, and exit codes that should not be. */
  readonly complaints: readonly string[]
}

/** Starts children, several at a time, and ends each at a moment drawn from the seed: by SIGKILL, most of them. */
export async function runCrew(plan: CrewPlan): Promise<CrewEnd> {
  mkdirSync(plan.folder)
  const random = seededRandom(plan.seed)
  const end = { kills: 0, pauses: 0, closes: 0, killedInClose: 0, complaints: [] as string[] }
  let started = 0
  const runSlot = async (): Promise<void> => {
    while ((plan.by === 'kill' ? end.kills : end.closes) < plan.ends) await runChild(plan, random, (started += 1), end)
  }
  await Promise.all(Array.from({ length: plan.children }, runSlot))
  return end
}

type MutableEnd = { -readonly [Name in keyof CrewEnd]: CrewEnd[Name] } & { complaints: string[] }

async function runChild(plan: CrewPlan, random: Random, number: number, end: MutableEnd): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(orderOf(plan, random, number))], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => end.complaints.push(text))
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const ready = new Promise<void>((resolve) => {
    child.stdout.once('data', () => resolve())
  })
  const die = plan.by === 'kill' ? random() : 1
  if (plan.by === 'kill' && random() < 0.1) await sleep(wholeBetween(random, 0, START_MOST_MS))
  else await Promise.race([ready, ended])
  await sleep(wholeBetween(random, 0, LIFE_MOST_MS))
  if (die < 0.1) {
    child.kill('SIGSTOP')
    await sleep(plan.leaseTtlMs * (1.3 + random()))
    child.kill('SIGCONT')
    end.pauses += 1
    await sleep(wholeBetween(random, 20, 400))
  }
  if (die > 0.85) child.kill('SIGTERM')
  // Half of those that close are killed in the middle of it.
  const patienceMs = die > 0.93 ? 15_000 : wholeBetween(random, 0, 30)
  if (die > 0.85) await Promise.race([ended, sleep(patienceMs)])
  child.kill('SIGKILL')
  const { code, signal } = await ended
  if (signal === 'SIGKILL') end.kills += 1
  if (signal === 'SIGKILL' && die > 0.85) end.killedInClose += 1
  if (code === 0) end.closes += 1
  else if (signal !== 'SIGKILL' && signal !== 'SIGTERM')
    end.complaints.push(`child ${number} ended with ${code ?? signal}`)
}

function orderOf(plan: CrewPlan, random: Random, number: number): ChildOrder {
  const { file, leaseTtlMs, policies, durable, refunded } = plan
  return {
    file,
    leaseTtlMs,
    policies,
    durable,
    refunded,
    tally: join(plan.folder, `${number}.txt`),
    seed: wholeBetween(random, 1, 2 ** 31),
    thread: random() < 0.5,
    flushIntervalMs: wholeBetween(random, 5, 60),
    callers: wholeBetween(random, 1, 12),
    lifeMaxMs: 60_000,
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
