import { describe, expect, it } from 'vitest'
import { memory } from '../../src/stores/memory/index.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { rounds } from '../rounds.ts'

storeConformance(
  'memory',
  (needs) => {
    const store = memory({ ...needs, upkeepEveryMs: 0 })
    return { store, another: () => store, dispose: () => store.close() }
  },
  { describe, it, expect },
  { sequences: Number(process.env['CONFORMANCE_SEQUENCES'] ?? rounds(40)), deletes: true },
)
