import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Result } from '../../../../bench/src/compare/result.ts'
import { root } from '../house/repository.ts'

/** In memory and on SQLite alone, so that it needs no server. */
const SMALL = ['flash-sale', 'article', 'map', 'vsa-leased-memory', 'vsa-durable-sqlite', 'token-bucket-sqlite']
const COLUMNS = [
  ...['decisionsPerSecond', 'operationsPerSecond', 'deniedShare', 'cpuUsPerDecision', 'serverCpuUsPerDecision'],
  ...[
    'storeCallsPerSecond',
    'storeCallsPerThousandAdmissions',
    'storeCallsPerThousandOperations',
    'operationsPerExchange',
  ],
  ...['rowsPerThousandAdmissions', 'bytesWrittenPerThousandAdmissions', 'syncsPerThousandAdmissions'],
  ...['overAdmittedUnits', 'burnedUnits', 'memoryBytes', 'callers', 'processes', 'durable', 'isExact'],
]

function bench(options: readonly string[]): { readonly status: number | null; readonly text: string } {
  const run = ['run', '-s', 'bench', '--workspace', 'vsa-bench', '--', '--quick', ...options]
  const { status, stdout } = spawnSync('npm', run, { cwd: root, encoding: 'utf8', maxBuffer: 1e8 })
  return { status, text: stdout }
}

function only(...names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ['--only', name])
}

describe('npm run bench -- --quick --json --only', () => {
  let status: number | null
  let result: Result
  beforeAll(() => {
    const run = bench(['--json', ...only(...SMALL), '--processes', '2'])
    status = run.status
    result = JSON.parse(run.text) as Result
  })

  test('has a row for each contender and workload, with all columns', () => {
    expect(status).toBe(0)
    expect(result.rows.map(({ workload, contender }) => `${workload} ${contender}`).toSorted()).toEqual(
      ['article', 'flash-sale'].flatMap((workload) => SMALL.slice(2).map((name) => `${workload} ${name}`)).toSorted(),
    )
    for (const row of [...result.rows, ...result.shared]) {
      for (const column of COLUMNS) expect(row).toHaveProperty(column)
      expect(row.decisionsPerSecond.low).toBeGreaterThan(0)
      expect(row.decisionsPerSecond.high).toBeGreaterThanOrEqual(row.decisionsPerSecond.median)
      expect(row.overAdmittedUnits).toBe(0)
    }
  })

  test('counts store calls where they happen: one for each admission by hand, few for many of VSA', () => {
    const callsOf = (name: string, workload: string): number =>
      result.rows.find((row) => row.contender === name && row.workload === workload)?.storeCallsPerThousandAdmissions ??
      Number.NaN
    expect(callsOf('token-bucket-sqlite', 'flash-sale')).toBeGreaterThan(999)
    expect(callsOf('vsa-durable-sqlite', 'flash-sale')).toBeLessThan(100)
    expect(callsOf('map', 'flash-sale')).toBe(0)
  })

  test('says on what it ran, and how long decisions took', () => {
    expect(result.machine.cores).toBeGreaterThan(0)
    expect(result.versions).toHaveProperty('rate-limiter-flexible')
    expect(result.stores.join()).toContain('synchronous=FULL')
    expect(result.latencies.map(({ offeredPerSecond }) => offeredPerSecond)).toContain(1_000)
    for (const { fromDueUs } of result.latencies) expect(fromDueUs.p999).toBeGreaterThanOrEqual(fromDueUs.p50)
    expect(new Set(result.shared.map(({ processes }) => processes))).toEqual(new Set([1, 2]))
  })
})

test('a contender that admits too much and one that loses writes are refused, and not printed', () => {
  const { status, text } = bench(only('flash-sale', 'planted', 'map'))
  expect(status).toBe(1)
  expect(text).toMatch(/REFUSED flash-sale, planted-over-admits: \d+ units admitted beyond the limit/)
  expect(text).toMatch(/REFUSED flash-sale, planted-loses-a-write: 1 of 1 keys differ from the store/)
  const table = text.slice(text.indexOf('== flash-sale'), text.indexOf('REFUSED'))
  expect(table).toContain('a Map')
  expect(table).not.toContain('a fault')
})

test('a name that is not there is refused', () => {
  expect(bench(only('nothing-like-that')).status).toBe(1)
})
