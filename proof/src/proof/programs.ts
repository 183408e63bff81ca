import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { ChaosReport } from '../chaos/chaos-report.ts'
import type { StoreKind } from '../chaos/chaos-store.ts'

/*
 * The programs of this workspace, run as processes, and their JSON reports. Only this file knows their options and the shape of their output.
 */

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
/** A program that takes longer is considered hung. */
const TIMEOUT_MS = 3_600_000
const MODEL_MEMORY_MIB = 6_000
/** Characters of output in an error. */
const OUTPUT_MAX = 2_000

export interface ProgramEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface SimulationReport {
  readonly violations: number
  readonly seeds: number
  /** Scripts of the corpus. */
  readonly corpus: number
  readonly operations: number
  readonly exchanges: number
  /** By kind of fault: how often it happened. */
  readonly faults: Readonly<Record<string, number>>
  /** Scenarios that no seed reached. */
  readonly missed: readonly string[]
}

/** What happened to one planted bug. */
export interface CanaryResult {
  readonly name: string
  /** Whether the law that the bug breaks was reported. */
  readonly caught: boolean
  /** The law that was reported, and how it was broken. */
  readonly law: string | null
  readonly what: string | null
}

export interface ModelReport {
  readonly states: number
  readonly transitions: number
  readonly violations: number
  readonly configurations: readonly {
    readonly name: string
    readonly states: number
    readonly exhausted: boolean
    readonly violation: { readonly law: string; readonly what: string } | null
  }[]
}

export interface ModelCanaryResult extends CanaryResult {
  /** The length of the shortest counterexample. */
  readonly steps: number | null
  readonly trace: readonly string[]
}

/** Runs a Node program to its end. Rejects when `signal` ends it, or when it hangs. */
export async function runNode(args: readonly string[], signal?: AbortSignal, cwd?: string): Promise<ProgramEnd> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, cwd, timeout: TIMEOUT_MS })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code))
  })
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}

/** `npm run sim`. It exits with 1 when a scenario is missed, which is not a violation. @throws Error on a violation */
export async function runSimulation(seeds: number, signal?: AbortSignal): Promise<SimulationReport> {
  const report = await run('sim.js', ['--seeds', String(seeds), '--json'], signal)
  if (isClean(report)) return report
  throw new Error(`the simulation found a violation: ${JSON.stringify(report)}`)
}

function isClean(report: unknown): report is SimulationReport {
  return (report as Partial<SimulationReport>).violations === 0
}

/** `npm run sim -- --seed N --trace`: everything that happens in one seed. */
export async function traceSeed(seed: number): Promise<string> {
  const { stdout } = await runNode([`${DIST}sim.js`, '--seed', String(seed), '--trace'])
  return stdout
}

/** `npm run canaries`: those named, or all. */
export async function runCanaries(names: readonly string[], signal?: AbortSignal): Promise<CanaryResult[]> {
  const options = names.flatMap((name) => ['--canary', name])
  return (await run('canaries.js', ['--json', ...options], signal)) as CanaryResult[]
}

/** `npm run model`. @param statesMax for each configuration. @param configurations their names, or none for all */
export async function runModel(
  statesMax: number,
  configurations: readonly string[] = [],
  signal?: AbortSignal,
): Promise<ModelReport> {
  const options = ['--states', String(statesMax), ...configurations.flatMap((name) => ['--configuration', name])]
  return (await run('model.js', ['--json', ...options], signal)) as ModelReport
}

/** `npm run model -- --canaries`: those named, or all that the model can express. */
export async function runModelCanaries(names: readonly string[], signal?: AbortSignal): Promise<ModelCanaryResult[]> {
  const options = names.length === 0 ? ['--canaries'] : names.flatMap((name) => ['--canary', name])
  return (await run('model.js', ['--json', ...options], signal)) as ModelCanaryResult[]
}

/** `npm run chaos`, until so many processes were killed. */
export async function runChaosProgram(
  { kills, seed, store }: { readonly kills: number; readonly seed: number; readonly store: StoreKind },
  signal?: AbortSignal,
): Promise<ChaosReport> {
  const options = ['--json', '--kills', String(kills), '--seed', String(seed), '--store', store]
  return (await run('chaos.js', options, signal)) as ChaosReport
}

/** @returns the report, trusted, because the same build wrote it. @throws Error with the program's output when there is no report */
async function run(program: string, options: readonly string[], signal?: AbortSignal): Promise<unknown> {
  const memory = program === 'model.js' ? [`--max-old-space-size=${MODEL_MEMORY_MIB}`] : []
  const { code, stdout, stderr } = await runNode([...memory, `${DIST}${program}`, ...options], signal)
  try {
    return JSON.parse(stdout)
  } catch {
    throw new Error(`exit code ${code}, and no report: ${(stderr || stdout).slice(-OUTPUT_MAX)}`)
  }
}
