import type { Counted } from '../measure/variant.ts'

/** Callers that ask at the same time, each as soon as it has its answer. */
const CALLERS = 64

/** One call of a limiter: whether it was admitted. */
export type Call = (key: string) => Promise<boolean>

/** Every key `rounds` times, shared among the callers. */
export async function callAll(call: Call, keys: readonly string[], rounds: number): Promise<Counted> {
  const operations = rounds * keys.length
  let asked = 0
  let admittedUnits = 0
  const caller = async (): Promise<void> => {
    while (asked < operations) {
      const key = keys[asked % keys.length] ?? ''
      asked += 1
      if (await call(key)) admittedUnits += 1
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return { operations, admittedUnits, refundedUnits: 0 }
}
