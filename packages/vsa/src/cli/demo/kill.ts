import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from '../../index.ts'
import { isBalanced, type StoreTotals, readTotals } from '../store-totals.ts'
import { CommandError } from '../report.ts'
import type { StorePlace } from '../stores/store-place.ts'
import { VICTIM_KEY, VICTIM_LEASE_TTL_MS } from './victim.ts'
import { type Bracket, readVictimTally } from './victim-tally.ts'

/** Part (c): a process is killed while it admits, and the store is opened again. */
export interface Kill {
  /** Units that the process had admitted, by its own tally. */
  readonly admitted: Bracket
  readonly ranForMs: number
  /** The store just after the kill, with the lease of the dead process still held. */
  readonly atDeath: StoreTotals
  /** The store after it was opened again. */
  readonly reopened: StoreTotals
  /** Whether everything admitted is used or burned in the store. */
  readonly coverage: Coverage
  readonly isBalanced: boolean
  readonly isTrue: boolean
}

/** `undecided`: used + burned lies inside the bracket, so that it may be too low by less than one block. */
export type Coverage = 'covered' | 'undecided' | 'exceeded'

const STARTS_WITHIN_MS = 20_000
const RUNS_AT_LEAST_MS = 700
const RUNS_AT_MOST_MS = 1_500
const LOOK_EVERY_MS = 20
/** Where a dead process cannot be detected, its lease is burned when it expires. */
const BURNS_WITHIN_MS = 4 * VICTIM_LEASE_TTL_MS

/** Starts the victim with the command line at `cliPath`, kills it while it admits, opens the store again and adds up its rows. */
export async function killInTheMiddle(cliPath: string, place: StorePlace, tallyPath: string): Promise<Kill> {
  const child = spawn(process.execPath, [cliPath, 'demo-victim', place.address, tallyPath], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  try {
    const startedAt = await admitting(child, tallyPath)
    await sleep(RUNS_AT_LEAST_MS + Math.random() * (RUNS_AT_MOST_MS - RUNS_AT_LEAST_MS))
    const ranForMs = performance.now() - startedAt
    await kill(child)
    const admitted = readVictimTally(tallyPath)
    const atDeath = await victimTotals(place)
    const reopened = await reopen(place)
    const coverage = coverageOf(admitted, reopened)
    const addsUp = isBalanced(reopened) && reopened.rows > 0
    return {
      admitted,
      ranForMs,
      atDeath,
      reopened,
      coverage,
      isBalanced: addsUp,
      isTrue: coverage !== 'exceeded' && addsUp,
    }
  } finally {
    child.kill('SIGKILL')
  }
}

/** Waits until the victim admits. @returns the time at which that was seen */
async function admitting(child: ChildProcess, tallyPath: string): Promise<number> {
  for (
    const waitsUntil = performance.now() + STARTS_WITHIN_MS;
    performance.now() < waitsUntil;
    await sleep(LOOK_EVERY_MS)
  ) {
    if (child.exitCode !== null)
      throw new CommandError('victim_failed', `the process to be killed ended by itself, with ${child.exitCode}`)
    if (readVictimTally(tallyPath).atLeast > 0) return performance.now()
  }
  throw new CommandError('victim_failed', `the process to be killed admitted nothing within ${STARTS_WITHIN_MS} ms`)
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  if (child.signalCode !== 'SIGKILL') {
    throw new CommandError(
      'victim_failed',
      `the process to be killed ended by itself, with ${child.exitCode ?? child.signalCode}`,
    )
  }
}

/** Opens the store, as a restarted service does, until the lease of the dead process is burned. */
async function reopen(place: StorePlace): Promise<StoreTotals> {
  for (const waitsUntil = performance.now() + BURNS_WITHIN_MS; ; await sleep(500)) {
    await place.withStore({}, async (store) => {
      const vsa = open({ store, label: 'vsa demo, opened again', onEvent: () => undefined })
      await vsa.ready()
      await vsa.close()
    })
    const totals = await victimTotals(place)
    if (totals.leased === 0 || performance.now() > waitsUntil) return totals
  }
}

function coverageOf({ atLeast, atMost }: Bracket, { used, burned }: StoreTotals): Coverage {
  if (atMost <= used + burned) return 'covered'
  return atLeast <= used + burned ? 'undecided' : 'exceeded'
}

function victimTotals(place: StorePlace): Promise<StoreTotals> {
  return readTotals(place, (key) => key === VICTIM_KEY)
}
