import { setTimeout } from 'node:timers/promises'
import { open, type Store } from 'vsa'
import { COLD_UNITS, HOT, type EngineResult } from './owner-config.ts'

/** As many requests at once, and again after the pause: 1,000 a second. */
const BURST = 10
const PAUSE_MS = 10

/** One owner: it joins, and asks for one unit again and again until it is denied, or has failed. Nothing of it is warm. */
export async function coldEngine(store: Store): Promise<EngineResult> {
  const vsa = open({ store })
  const budget = vsa.budget(HOT, { initial: COLD_UNITS, atRisk: COLD_UNITS / 20 })
  const startedAtMs = performance.now()
  let [admitted, failed, firstAdmissionMs, isOver] = [0, 0, Infinity, false]
  const ask = async (): Promise<void> => {
    try {
      if (await budget.admit()) admitted += 1
      else isOver = true
      if (admitted === 1) firstAdmissionMs = performance.now() - startedAtMs
    } catch {
      failed += 1
      isOver = true
    }
  }
  while (!isOver) {
    await Promise.all(Array.from({ length: BURST }, ask))
    await setTimeout(PAUSE_MS)
  }
  const { exchanges, reads } = vsa.stats()
  await vsa.close()
  return { admitted, failed, exchanges: exchanges + reads, firstAdmissionMs }
}
