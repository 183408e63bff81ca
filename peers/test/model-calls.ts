import { expect } from 'vitest'
import { type Budget, open, type Vsa } from 'vsa'
import { memory } from 'vsa/memory'
import type { CallSettlement } from 'vsa/openai'

/** An engine with one budget, for tests with real clients. */
export interface ModelBooks {
  readonly vsa: Vsa
  readonly budget: Budget
  readonly settlements: CallSettlement[]
  readonly onSettled: (settlement: CallSettlement) => void
  /** What was charged; fails where the books do not balance, or something is still reserved. */
  used(): Promise<number>
}

export function modelBooks(initial: number): ModelBooks {
  const vsa = open({ store: memory() })
  const budget = vsa.budget('credits:ada', { initial })
  const settlements: CallSettlement[] = []
  return {
    vsa,
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
