// Mutation testing: each small change of the code below must fail a test (docs/testing.md). `npm run mutation`; what is given behind
// `--` goes to Stryker, as in `npm run mutation -- --mutate packages/vsa/src/core/units.ts`.
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  mutate: [
    'packages/vsa/src/core/**/*.ts',
    'packages/vsa/src/engine/session/**/*.ts',
    'packages/vsa/src/engine/exchange/flush-scheduler.ts',
    'packages/vsa/src/engine/exchange/change-intake.ts',
    'packages/vsa/src/engine/exchange/exchange-listener.ts',
    'packages/vsa/src/engine/exchange/quarantine.ts',
  ],
  ignorePatterns: ['dist', 'bench', 'proof', '.ci', '*.tgz', '*.db', '*.db-*'],
  // There is none of this name: Stryker would rewrite its paths with an interface that TypeScript 7 does not have any more.
  tsconfigFile: 'tsconfig.mutation.json',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 20_000,
  incremental: true,
  incrementalFile: '.stryker/incremental.json',
  tempDirName: '.stryker/sandbox',
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: '.stryker/mutation.json' },
  clearTextReporter: { logTests: false },
  thresholds: { high: 95, low: 85, break: 85 },
}
