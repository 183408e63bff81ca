import type { OwnerProcess } from './owner-process.ts'
import { areExact, keyOf } from './process-totals.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/** L3: the units that the store has settled for each process equal the units answered to its callers. */
export function assertTotals(world: World): void {
  if (world.timeline.stopped) return
  for (const owner of world.processes) {
    if (owner.machine.dead || owner.ambiguous) continue
    assertRows(world, owner)
    assertCounters(world, owner)
  }
}

function assertRows({ script, audit, violations }: World, owner: OwnerProcess): void {
  const { admitted, refunded, settled } = owner.totals
  for (const name of new Set([...admitted.names(), ...refunded.names(), ...settled.names()])) {
    const wasDeleted = audit.deletions.timesOf(keyOf(name)) > 0
    if (keyOf(name) !== script.setting.corrupt) violations.attempt(() => assertRow(owner, name, wasDeleted))
  }
}

function assertCounters({ script, audit, violations }: World, { totals, name }: OwnerProcess): void {
  for (const key of script.setting.counters) {
    const [added, counted] = [totals.added.of(key), totals.counted.of(key)]
    // An addition that would leave the safe integers stays with its owner, which reports it.
    const isSafe = Math.abs(audit.counters.of(key)) + Math.abs(added) < 1e15
    violations.attempt(() =>
      must(
        !isSafe || totals.addedUntold.has(key) || added === counted,
        'L3',
        () => `${name} added ${added} to ${key}, and ${counted} were counted`,
      ),
    )
  }
}

/** @throws Violation */
function assertRow(
  { totals, fenced, forgotten, name: process }: OwnerProcess,
  name: string,
  wasDeleted: boolean,
): void {
  const { admitted, refunded, refused, settled, accepted, failed } = totals
  if (!areExact(name, admitted, refunded, refused, settled, accepted)) return
  const net = admitted.of(name) - refunded.of(name) + refused.of(name)
  const kept = settled.of(name) - accepted.of(name)
  const burned = totals.burned.of(name)
  // Their units may have been taken all the same.
  const unaccounted = totals.unaccounted.of(keyOf(name))
  // What a request took that failed is not given back to an epoch that the store forgot (L4), nor to a row that was deleted (P6): others of its process
  // may have been admitted from it, who are asked for again in the fresh row.
  const untold = forgotten || wasDeleted ? failed.of(keyOf(name)) : 0
  // And refunds of which it no longer knew whether it had accepted them were reported as refused.
  const unsure = forgotten ? refused.of(name) : 0
  // P6: what was spent from leases that were deleted.
  const deleted = totals.unheard.of(name) + totals.lost.of(name)
  const text = (): string =>
    `${name}: ${process} admitted ${net}; ${kept} are settled, ${burned} burned, ${deleted} deleted`
  // The spent part of a burned lease is unknown.
  must(kept <= net + unaccounted + untold, 'L3', text)
  must(net <= kept + deleted + unsure + (fenced ? burned : 0), 'L3', text)
}
