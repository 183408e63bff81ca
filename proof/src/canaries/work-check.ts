import type { Budget, Vsa } from '../../../packages/vsa/dist/index.js'
import { manualClock } from 'vsa/testing'
import { loadLibrary, type Library } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'
import { WorkCounter } from './work-counter.ts'

const FLUSH_INTERVAL_MS = 100
const FEW = 32
const MANY = 512
/** Blocks by which two amounts of work may differ: paths that are taken now and then. A loop over the budgets executes one for each at least. */
const SLACK = 150

interface Work {
  readonly small: number
  readonly large: number
  readonly refund: number
  readonly flush: number
}

/** L8: `tryAdmit` and `refund` are O(1), and a flush visits what changed. Counted in blocks of code that were executed. */
export async function assertConstantWork(folder: string): Promise<void> {
  const counter = new WorkCounter(folder)
  await counter.start()
  try {
    const library = await loadLibrary(folder)
    // Code that V8 has optimized counts fewer blocks: what is compared is measured after as much has run.
    await workWith(library, counter, MANY)
    const few = await workWith(library, counter, FEW)
    const many = await workWith(library, counter, MANY)
    const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= SLACK
    must(
      isSame(many.small, many.large),
      'L8',
      () => `tryAdmit(1): ${many.small} blocks, tryAdmit(100000): ${many.large}`,
    )
    for (const name of ['small', 'large', 'refund', 'flush'] as const)
      must(
        isSame(few[name], many[name]),
        'L8',
        () => `${name}: ${few[name]} blocks with ${FEW} budgets, ${many[name]} with ${MANY}`,
      )
  } finally {
    await counter.stop()
  }
}

/** All budgets hold a lease that was used of late; one of them changes. */
async function workWith({ open, memory }: Library, counter: WorkCounter, count: number): Promise<Work> {
  const clock = manualClock()
  const store = memory({ now: () => clock.now() })
  const vsa = open({ store, clock, flushIntervalMs: FLUSH_INTERVAL_MS, onEvent: () => undefined })
  const budgets = await leased(vsa, count)
  await clock.advance(FLUSH_INTERVAL_MS)
  const [one] = budgets
  must(one !== undefined, 'error', () => 'a check needs a budget')
  const small = await counter.count(() => one.tryAdmit(1))
  const refund = await counter.count(() => one.refund(1))
  const large = await counter.count(() => one.tryAdmit(100_000))
  await clock.advance(FLUSH_INTERVAL_MS)
  one.tryAdmit(1)
  const flush = await counter.count(() => clock.advance(FLUSH_INTERVAL_MS))
  await vsa.close()
  return { small, large, refund, flush }
}

async function leased(vsa: Vsa, count: number): Promise<readonly Budget[]> {
  const family = vsa.budgets('work', { limit: 1_000_000, per: 'day', atRisk: 1_000 })
  const budgets = Array.from({ length: count }, (_, number) => family.of(String(number)))
  for (let round = 0; round < 2; round += 1) await Promise.all(budgets.map((budget) => budget.admit(1)))
  return budgets
}
