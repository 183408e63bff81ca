import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** From the quickest, which are about one part alone, to the slowest: most mutants are dead after the first file. */
const ORDER = [
  /\/core\//,
  /\/engine\/(state-machine|session|flush-scheduler)/,
  /\/engine\/(?!economy|closing|laws|stranding)/,
  /\/engine\/(economy|closing)/,
]

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ranked = files.map((file) => ({ file, rank: rankOf(file) }))
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ file }) => file)
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = ORDER.findIndex((pattern) => pattern.test(moduleId))
  return rank < 0 ? ORDER.length : rank
}

/**
 * The tests that mutants of the core and of the session meet (stryker.config.mjs): those that need no process, no disk and no
 * server, with few seeds, because each survivor meets all of them. Left out: those with 200,000 requests.
 */
export default defineConfig({
  test: {
    retry: 0,
    // One worker for all files: a new one for each takes longer than the tests.
    isolate: false,
    // A mutant often makes a promise that never settles: the sooner its test gives up, the better.
    testTimeout: 10_000,
    include: [
      'packages/vsa/test/core/**/*.test.ts',
      'packages/vsa/test/engine/**/*.test.ts',
      'packages/vsa/test/stores/memory-conformance.test.ts',
    ],
    exclude: ['**/*.alone.test.ts', '**/many-requests.test.ts'],
    env: { ENGINE_SEEDS: '3', CONFORMANCE_SEQUENCES: '10' },
    sequence: { sequencer: QuickFirst },
    setupFiles: ['vitest.mutation.setup.ts'],
  },
})
