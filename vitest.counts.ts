import type { Reporter, TestCase, TestModule } from 'vitest/node'

interface Counts {
  passed: number
  failed: number
  skipped: TestCase[]
}

/**
 * Ends every run with a line for machines: `N passed, N failed`, and `, N skipped` when there are skipped tests. Those are listed before it,
 * each with its reason. It must be the last reporter in the list.
 */
export const countsReporter: Reporter = {
  onTestRunEnd(modules, errors) {
    const counts: Counts = { passed: 0, failed: errors.length, skipped: [] }
    for (const module of modules) countModule(module, counts)
    const { passed, failed, skipped } = counts
    for (const test of skipped) console.log(skippedText(test))
    if (passed + failed === 0) console.log('No test ran.')
    console.log(`\n${passed} passed, ${failed} failed${skipped.length === 0 ? '' : `, ${skipped.length} skipped`}`)
  },
}

function countModule(module: TestModule, counts: Counts): void {
  for (const test of module.children.allTests()) {
    const { state } = test.result()
    if (state === 'skipped') counts.skipped.push(test)
    else if (state === 'passed') counts.passed += 1
    else counts.failed += 1
  }
  // A file or a suite that throws outside its tests has failed, also when it has no tests.
  counts.failed += module.errors().length
  for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
}

function skippedText(test: TestCase): string {
  const result = test.result()
  const reason = result.state === 'skipped' && result.note !== undefined ? `: ${result.note}` : ''
  return `skipped: ${test.module.relativeModuleId} > ${test.fullName}${reason}`
}
