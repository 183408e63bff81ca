import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Expectation, type MakeStore, storeConformance, type TestRunner } from 'vsa/testing'
import { loadLibrary, type Library } from '../simulation/library.ts'
import { Violation } from '../simulation/violation.ts'
import type { Reported } from '../simulation/violations.ts'
import type { FinderTask } from './find.ts'
import type { Tried } from './tried.ts'

/** As in `S2` or `L5`, in the title of a test. */
const LAW = /\b[A-Z]\d{1,2}\b/g
/** Random command sequences: the examples are to find the bug. */
const SEQUENCES = 5

interface ConformanceTest {
  readonly title: string
  readonly body: () => Promise<void>
}

/** Runs the conformance suite of the shipped library against a store with a bug in it, test by test. */
export async function* tryConformance({ folder, canary }: FinderTask): AsyncGenerator<Tried> {
  const library = await loadLibrary(folder)
  const makeStore = canary.file.startsWith('stores/sqlite/') ? onSqlite(library) : inMemory(library)
  // Those that cite its laws first: most canaries are found by one of them.
  const cites = ({ title }: ConformanceTest): boolean => lawsOf(title).some((law) => canary.laws.includes(law))
  const tests = testsOf(makeStore)
  const ordered = [...tests.filter(cites), ...tests.filter((test) => !cites(test))]
  for (const [seed, test] of ordered.entries()) yield { seed, reported: await failuresOf(test) }
}

function testsOf(makeStore: MakeStore): readonly ConformanceTest[] {
  const tests: ConformanceTest[] = []
  const runner: TestRunner = {
    describe: (_name, body) => body(),
    it: (title, body) => tests.push({ title, body }),
    expect,
  }
  storeConformance('planted', makeStore, runner, { sequences: SEQUENCES, deletes: true })
  return tests
}

function lawsOf(title: string): readonly string[] {
  return title.match(LAW) ?? []
}

/** The laws that a failing test cites. An error that is no failed expectation is one of the harness, or of the store. */
async function failuresOf({ title, body }: ConformanceTest): Promise<readonly Reported[]> {
  try {
    await body()
    return []
  } catch (error) {
    const what = `${title}: ${error instanceof Error ? error.message : String(error)}`
    if (!(error instanceof Violation)) return [{ law: 'error', what }]
    return lawsOf(title).map((law) => ({ law, what }))
  }
}

function inMemory({ memory }: Library): MakeStore {
  return (needs) => {
    const store = memory(needs)
    return { store, another: () => store, dispose: () => store.close() }
  }
}

function onSqlite({ sqlite }: Library): MakeStore {
  return (needs) => {
    const folder = mkdtempSync(join(tmpdir(), 'vsa-canary-'))
    const open = (): ReturnType<typeof sqlite> => sqlite(join(folder, 'store.db'), { ...needs, thread: false })
    const [store, other] = [open(), open()]
    return {
      store,
      another: () => other,
      dispose: async () => {
        await Promise.all([store.close(), other.close()])
        rmSync(folder, { recursive: true })
      },
    }
  }
}

/** The two checks that the suite uses. Properties that are undefined count as absent. */
function expect(actual: unknown): Expectation {
  const check = (holds: boolean, expected: unknown): void => {
    if (!holds) throw new Violation('expectation', `${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
  }
  return {
    toEqual: (expected) => check(isDeepStrictEqual(defined(actual), defined(expected)), expected),
    toMatchObject: (expected) => check(matches(actual, expected), expected),
  }
}

function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(entries.map(([name, part]) => [name, defined(part)]))
}

function matches(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected))
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((one, at) => matches(actual[at], one))
    )
  if (typeof expected !== 'object' || expected === null) return isDeepStrictEqual(actual, expected)
  if (typeof actual !== 'object' || actual === null) return false
  return Object.entries(expected).every(([name, part]) => matches(Reflect.get(actual, name), part))
}
