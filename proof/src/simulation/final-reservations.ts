import type { OwnerProcess } from './owner-process.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/**
 * R3: whatever became of the processes, after their ends and the store's upkeep no reservation is open any more that should not be. Together with R2,
 * nothing stays set aside except under an id that is open, or that has kept its units and may still be settled.
 * @param dueAt the ends that upkeep must have seen, in ms since 1970
 */
export function assertEnded({ audit, violations }: World, dueAt: number): void {
  for (const [name, { lots }] of audit.reservations.rows) {
    const late = lots.find(({ state, expiresAt }) => state === 'open' && expiresAt < dueAt)
    violations.attempt(() =>
      must(late === undefined, 'R3', () => `${name} is open, and its end was before ${dueAt}: ${JSON.stringify(late)}`),
    )
  }
}

/** R8: a close takes settlements until its last batch is sent. Each reservation of the run is settled once more. */
export function settleWhileClosing(world: World, owner: OwnerProcess): void {
  const { setting } = world.script
  for (const { key, id, as, lots } of world.audit.reservations.rows.values()) {
    const budget = setting.budgets.findIndex((one) => one.key === key)
    if (as !== 'reservation' || budget < 0) continue
    const units = lots[0]?.units ?? 0
    const request = { tag: -1, budgets: [budget], form: 'one', overage: null, units, id } as const
    world.callers.credits.act(owner, { kind: 'settle', request, at: 0, units })
  }
}
