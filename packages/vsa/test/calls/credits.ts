import { expect } from 'vitest'
import { type Budget, open, type OpenOptions, type Policy, type Vsa } from '../../src/index.ts'
import type { CallSettlement } from '../../src/openai/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'

/** An engine on a store in memory, with one budget. */
export interface Credits {
  readonly vsa: Vsa
  readonly clock: ManualClock
  readonly budget: Budget
  readonly settlements: CallSettlement[]
  /** For the options of a meter. */
  readonly onSettled: (settlement: CallSettlement) => void
  /** What was charged in all; fails where the books do not balance, or something is still reserved. */
  used(): Promise<number>
}

export function credits(policy: Policy | number, options: Partial<OpenOptions> = {}): Credits {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock, ...options })
  const budget = vsa.budget('credits:ada', typeof policy === 'number' ? { initial: policy } : policy)
  const settlements: CallSettlement[] = []
  return {
    vsa,
    clock,
    budget,
    settlements,
    onSettled: (settlement) => settlements.push(settlement),
    used: async () => {
      await vsa.flush()
      const { minted, used, reserved, remaining, burned } = await budget.peek()
      expect(used + reserved + remaining + burned).toBe(minted)
      expect(reserved).toBe(0)
      return used
    },
  }
}
