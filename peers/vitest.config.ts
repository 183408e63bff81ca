import { defineConfig } from 'vitest/config'
import { countsReporter } from '../vitest.counts.ts'
import { isTooOld, NODE_22_FILES } from './node-version.ts'

// `npm run peers`. The tests import the built package by its name.
const TIMEOUT_MS = 600_000

export default defineConfig({
  test: {
    retry: 0,
    include: ['test/**/*.test.ts'],
    exclude: isTooOld ? [NODE_22_FILES] : [],
    // Next builds on all cores, and the programs of the recipes wait for their store for 5 s at most.
    fileParallelism: false,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    teardownTimeout: TIMEOUT_MS,
    passWithNoTests: false,
    reporters: ['default', countsReporter],
  },
})
