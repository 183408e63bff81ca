import { describe, expect, test } from 'vitest'
import { readBaseline } from '../../../../bench/src/counts/baseline.ts'
import { COUNT_CASES, type CountCase } from '../../../../bench/src/counts/count-case.ts'
import { countsOf } from '../../../../bench/src/counts/counts-of.ts'
import { differences, HOW_TO_ACCEPT, perMillion } from '../../../../bench/src/counts/differences.ts'
import { passedOn } from '../../../../bench/src/measure/counted-store.ts'
import { missingInput } from '../../../../bench/src/workloads/access-log.ts'
import type { Batch, Store } from '../../src/index.ts'

/*
 * Store calls, rows and bytes of each workload: exact, because the clock is an argument and the store is in memory. They run the built package, as
 * `npm run counts` does. The bytes of a batch are those of its JSON in UTF-8.
 */

const baseline = readBaseline()

function caseNamed(name: string): CountCase {
  const found = COUNT_CASES.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  return found
}

const HOT_KEY = caseNamed('hot-key, leased')

/** Fails with the text that says what has changed. */
function expectAccepted(changed: string | null): void {
  if (changed !== null) expect.fail(`${changed} ${HOW_TO_ACCEPT}`)
}

describe('the counts of each workload are those of the baseline', () => {
  test.for(COUNT_CASES)('L7: $name', async (countCase, context) => {
    const missing = missingInput(countCase.workload)
    if (missing !== null) context.skip(missing)
    expectAccepted(differences(countCase.name, baseline[countCase.name], await countsOf(countCase)))
  })

  test('the baseline has these cases, and no others', () => {
    expect(Object.keys(baseline)).toEqual(COUNT_CASES.map(({ name }) => name))
  })
})

test('L7: units that all come back write nothing: no record, no lease record, in fifty thousand operations', async () => {
  const counts = await countsOf(caseNamed('churn-to-zero, leased'), { isWarm: true })
  expect(counts).toMatchObject({ operations: 50_000, records: 0, leaseRecords: 0 })
  // One store call per flush interval: others may want the leases.
  expect(counts.exchanges).toBe(10)
})

test('L7: a cold key that is asked once costs one record, and with a lease three rows besides', () => {
  // These are the figures that the tests above compare with.
  const [leased, durable] = [baseline['cold-keys, leased'], baseline['cold-keys, durable']]
  expect(leased).toMatchObject({ operations: 1_000, records: 1_000, leaseRecords: 3_000 })
  expect(durable).toMatchObject({ operations: 1_000, records: 1_000, leaseRecords: 0 })
})

describe('a change that costs more is found', () => {
  test('a store that writes one more record', async () => {
    const counts = await countsOf(HOT_KEY, { wrap: withOneMoreRecord })
    const was = baseline[HOT_KEY.name]
    expect(counts.records).toBe((was?.records ?? 0) + 1)
    expect(differences(HOT_KEY.name, was, counts)).toMatch(
      /^hot-key, leased: records 15 → 16 \(\+1; 150 → 160 per million operations\)/,
    )
  })

  test('an engine that flushes more often', async () => {
    const counts = await countsOf(HOT_KEY, { engine: { flushIntervalMs: 90 } })
    expect(differences(HOT_KEY.name, baseline[HOT_KEY.name], counts)).toMatch(/exchanges \d+ → \d+ \(\+/)
  })

  test('a case that is new', async () => {
    expect(differences('new', undefined, await countsOf(HOT_KEY))).toBe('new: it is not in the baseline.')
  })
})

test('the same case twice gives the same figures', async () => {
  expect(await countsOf(HOT_KEY)).toEqual(await countsOf(HOT_KEY))
})

test('fewer are told, too, and what is equal is not', () => {
  const was = { operations: 1_000, exchanges: 2, reads: 0, records: 3, leaseRecords: 1, bytes: 400 }
  expect(differences('x', was, was)).toBeNull()
  expect(differences('x', was, { ...was, records: 2 })).toBe(
    'x: records 3 → 2 (-1; 3,000 → 2,000 per million operations).',
  )
  expect(perMillion({ ...was, operations: 3_000 }, 'bytes')).toBe(133_333.333)
  expect(() => expectAccepted('x: records 2 → 3.')).toThrow(
    /records 2 → 3\. If that is meant.*npm run counts -- --update/,
  )
})

/** Its third exchange adds to a counter that is none of the engine's. */
function withOneMoreRecord(store: Store): Store {
  let calls = 0
  return {
    ...passedOn(store),
    exchange: async (batch: Batch) => {
      calls += 1
      if (calls !== 3) return store.exchange(batch)
      const entries = [...batch.entries, { kind: 'counter', key: 'planted', add: 1 } as const]
      const answer = await store.exchange({ ...batch, entries })
      return answer.kind === 'applied' ? { ...answer, entries: answer.entries.slice(0, -1) } : answer
    },
  }
}
