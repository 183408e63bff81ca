import { open } from 'vsa'
import { memory } from 'vsa/memory'
import { UNITS } from '../gate/cell.ts'
import { withFixedLeases } from '../gate/fixed-lease-store.ts'
import { handlesLoop } from '../gate/vsa-loops.ts'

const KEYS = 128
const WARM_RUNS = 2_000
const WARM_ROUNDS = 50
/** A run is repeated until so many operations are done: the processor's time is told in microseconds. */
const OPERATIONS_MIN = 2_000_000
/** Other programs can make a measurement longer, and none shorter. */
const MEASUREMENTS = 5
const NS_PER_US = 1_000

/** The processor time of one decision from a lease, in runs of so many decisions. */
export interface GateTime {
  readonly operations: number
  /** The least of five measurements. */
  readonly nsPerDecision: number
}

/** `tryAdmit` by handle over 128 keys whose leases last: nothing is sent meanwhile. */
export async function gateTimes(sizes: readonly number[]): Promise<readonly GateTime[]> {
  const vsa = open({ store: withFixedLeases(memory(), UNITS), flushIntervalMs: 3_600_000, onEvent: () => undefined })
  const family = vsa.budgets('gate', { initial: 4 * UNITS, atRisk: UNITS })
  const budgets = Array.from({ length: KEYS }, (_, index) => family.of(`tenant-${index}`))
  for (let time = 0; time < 3; time += 1) await Promise.all(budgets.map((budget) => budget.admit()))
  const loop = handlesLoop(budgets)
  for (let run = 0; run < WARM_RUNS; run += 1) admittedBy(loop, WARM_ROUNDS)
  const times = sizes.map((operations) => timeOf(loop, operations))
  await vsa.close()
  return times
}

function timeOf(loop: ReturnType<typeof handlesLoop>, operations: number): GateTime {
  const rounds = Math.ceil(operations / KEYS)
  const repeats = Math.ceil(OPERATIONS_MIN / operations)
  const measurements = Array.from({ length: MEASUREMENTS }, () => {
    const before = process.cpuUsage()
    let done = 0
    for (let repeat = 0; repeat < repeats; repeat += 1) done += admittedBy(loop, rounds)
    const { user, system } = process.cpuUsage(before)
    return ((user + system) * NS_PER_US) / done
  })
  return { operations, nsPerDecision: Math.min(...measurements) }
}

function admittedBy(loop: ReturnType<typeof handlesLoop>, rounds: number): number {
  const { operations, admittedUnits } = loop(rounds)
  if (admittedUnits !== operations) throw new Error(`a lease ran out: ${admittedUnits} of ${operations} were admitted`)
  return operations
}
