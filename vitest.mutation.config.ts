import { defineConfig } from 'vitest/config'

/**
 * The tests that mutants of the core and of the session meet (stryker.config.mjs): those that need no process, no disk and no
 * server, with few seeds, because each survivor meets all of them.
 */
export default defineConfig({
  test: {
    retry: 0,
    testTimeout: 30_000,
    include: [
      'packages/vsa/test/core/**/*.test.ts',
      'packages/vsa/test/engine/**/*.test.ts',
      'packages/vsa/test/stores/memory-conformance.test.ts',
      'packages/vsa/test/testing/faulty-store.test.ts',
    ],
    exclude: ['**/*.alone.test.ts'],
    env: { ENGINE_SEEDS: '12' },
  },
})
