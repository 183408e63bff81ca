import { fileURLToPath } from 'node:url'

// `npm run mutation` starts Stryker (proof/src/mutation.ts), and says what it runs. Each small change of the code must fail a test (docs/testing.md).
const { mutate = [], report = '.stryker/mutation.json' } = JSON.parse(process.env['VSA_MUTATION'] ?? '{}')

export default {
  testRunner: 'vitest',
  plugins: [
    '@stryker-mutator/vitest-runner',
    fileURLToPath(new URL('proof/dist/mutation/sample-checker.js', import.meta.url)),
  ],
  checkers: ['sample'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  mutate,
  // Not `dist`: tests import the built package, and start processes of it.
  ignorePatterns: ['bench', 'proof', '.ci', '*.tgz', '*.db', '*.db-*'],
  // There is none of this name: Stryker would rewrite its paths with an interface that TypeScript 7 does not have any more.
  tsconfigFile: 'tsconfig.mutation.json',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 10_000,
  // On a machine that others use, too, a test may take three times as long as without mutants.
  timeoutFactor: 3,
  dryRunTimeoutMinutes: 20,
  tempDirName: '.stryker/sandbox',
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: report },
  // `npm run mutation` looks at the score of the sample.
  thresholds: { high: 95, low: 85, break: null },
}
