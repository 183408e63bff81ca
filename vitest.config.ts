import { defineConfig } from 'vitest/config'
import { countsReporter } from './vitest.counts.ts'

// `npm test` runs `shared`, `npm run proof` runs `proof-alone` and `proof` (proof/src/proof/tests-part.ts).
// `proof-alone` needs a machine without other tests: one file at a time. `*.proof.test.ts` take long, or use servers and processes a lot.
// Nothing is retried: a test that fails sometimes shows a bug that happens sometimes. Time-outs only end what hangs.
const folders = ['packages/vsa/test', 'proof/test']
const named = (suffix: string): string[] => folders.map((folder) => `${folder}/**/*${suffix}`)
/** Tests of random cases. `npm run proof` repeats them with more (packages/vsa/test/rounds.ts). */
const RANDOM = [
  'packages/vsa/test/core/{calendar,forgetting,transition-properties}.test.ts',
  'packages/vsa/test/engine/{deletion-random,laws}.test.ts',
  'packages/vsa/test/stores/*-conformance.test.ts',
  'proof/test/production-credits.test.ts',
]
const TIMEOUT_MS = 120_000
const LONG_TIMEOUT_MS = 1_800_000
const LONG = {
  env: { VSA_ROUNDS: '4' },
  testTimeout: LONG_TIMEOUT_MS,
  hookTimeout: LONG_TIMEOUT_MS,
}
/** Those of the proof that measure time or memory, or kill processes that lease for a short time. */
const MEASURED = [
  'packages/vsa/test/{bench,engine}/*.proof.test.ts',
  'packages/vsa/test/cli/replay.proof.test.ts',
  'packages/vsa/test/stores/sqlite-thread.proof.test.ts',
  'proof/test/{chaos,crash,final-verifier}.proof.test.ts',
]

export default defineConfig({
  test: {
    retry: 0,
    // Vitest would leave one core of two idle.
    maxWorkers: 2,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    teardownTimeout: TIMEOUT_MS,
    passWithNoTests: false,
    reporters: ['default', countsReporter],
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: named('.test.ts'),
          exclude: ['**/*.proof.test.ts'],
          // A new process for each file would take a third of the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...LONG,
          name: 'proof-alone',
          include: MEASURED,
          sequence: { groupOrder: 1 },
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          ...LONG,
          name: 'proof',
          include: [...named('.proof.test.ts'), ...RANDOM],
          exclude: MEASURED,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
