import { expect, test } from 'vitest'
import { ClockEviction } from '../../src/engine/budget/clock-eviction.ts'
import { FamilyRegistry } from '../../src/engine/budget/family-registry.ts'
import type { Gate } from '../../src/engine/budget/gate.ts'
import { PolicyCache } from '../../src/engine/budget/policy-cache.ts'
import type { SlowPath } from '../../src/engine/budget/slow-path.ts'
import { LeasedRow } from '../../src/engine/rows/leased-row.ts'
import { MetricsTable } from '../../src/engine/runtime/metrics-table.ts'

test.each([
  ['grew, and the pool has more', { held: 8, pool: 5 }, true],
  ['grew, and the pool is empty', { held: 8, pool: 0 }, false],
  ['did not grow', { held: 0, pool: 5 }, false],
])(
  'O8: within a flush interval after an answer a larger lease is asked for only where the lease %s',
  (_, told, may) => {
    const families = new FamilyRegistry({
      slowPath: {} as SlowPath<Gate>,
      metrics: new MetricsTable(),
      eviction: new ClockEviction({ max: 100, isIdle: () => true, drop: () => undefined }),
      policies: new PolicyCache(),
    })
    const gate = families.single('calls', { limit: 100, per: 'month', atRisk: 60 })
    const row = new LeasedRow(gate, { start: 0, end: 2_000 }, 0)
    const figures = { used: 0, burned: 0, minted: 100, limit: 100, version: 1, others: 0, othersHeld: 0 }
    row.send(8, 0)
    row.acknowledge({ ...figures, ...told })
    row.askAgainAtMs = 100
    expect([row.mayLeaseMore(99), row.mayLeaseMore(100)]).toEqual([may, true])
  },
)
