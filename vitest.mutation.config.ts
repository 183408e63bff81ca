import { defineConfig } from 'vitest/config'
import { BaseSequencer, type Reporter, type TestSpecification } from 'vitest/node'

interface Suite {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** The tests that mutants meet, from proof/src/mutation/areas.ts. The sandbox of Stryker has no `proof` folder, so the environment says it. */
const { suite = { include: [], exclude: [] } } = JSON.parse(process.env['VSA_MUTATION'] ?? '{}') as {
  readonly suite?: Suite
}

/** Files whose tests take long run last: most mutants are dead after the first file. */
const SLOW = [
  /\/(calendar|transition-properties)\.test/,
  /\/engine\/(closing|laws|economy|owners|store-time-ahead|stranding)\.test/,
  /-conformance\.test/,
]

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ranked = files.map((file) => ({ file, rank: rankOf(file) }))
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ file }) => file)
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  return SLOW.findIndex((pattern) => pattern.test(moduleId))
}

/** Stryker leaves out a file that cannot be imported, without a word, and its mutants survive. A reporter that throws ends the run. */
const refuseBroken: Reporter = {
  onTestModuleEnd(module) {
    const [error] = module.errors()
    if (error !== undefined) throw new Error(`${module.moduleId} could not be imported: ${error.message}`)
  },
}

const below = (pattern: string): string => `packages/vsa/test/${pattern}`

export default defineConfig({
  test: {
    retry: 0,
    // One worker for all files: a new one for each takes longer than the tests.
    isolate: false,
    // A mutant often makes a promise that never settles: its first test fails then, sooner than Stryker ends the run (timeoutMS). Without
    // mutants the longest test takes a few seconds, and more on a machine that others use, too.
    testTimeout: 40_000,
    include: suite.include.map(below),
    exclude: [...suite.exclude],
    // Few seeds, because each survivor meets all of them.
    env: { ENGINE_SEEDS: '3', CONFORMANCE_SEQUENCES: '10', VSA_ROUNDS: '4' },
    sequence: { sequencer: QuickFirst },
    reporters: [refuseBroken],
    setupFiles: ['vitest.mutation.setup.ts'],
  },
})
