import { defineConfig } from 'vitest/config'
import { countsReporter } from './vitest.counts.ts'

// Two lanes, one after the other. `*.alone.test.ts` start processes, fill the disk or measure time: one file at a time.
// The others share the machine. Nothing is tried twice: a test that fails now and then is a bug that happens now and then.
const tests = ['packages/vsa/test', 'proof/test']

export default defineConfig({
  test: {
    retry: 0,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    passWithNoTests: false,
    reporters: ['default', countsReporter],
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: tests.map((folder) => `${folder}/**/*.test.ts`),
          exclude: ['**/*.alone.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: tests.map((folder) => `${folder}/**/*.alone.test.ts`),
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
