import { isInSample } from './sample.ts'
import { mutationSettings, sourcePath } from './settings.ts'

/*
 * A plugin of Stryker. A checker says before the tests which mutants cannot be compiled; this one says so of each that is not in the sample.
 * Stryker has no sampling of its own: ranges of lines would leave out every mutant of a large block.
 */

interface CheckedMutant {
  readonly id: string
  readonly fileName: string
  readonly replacement: string
  /** Here lines and columns count from 0. */
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

interface CheckResult {
  readonly status: 'passed' | 'compileError'
  readonly reason?: string
}

const checker = {
  init: async (): Promise<void> => undefined,
  check: async (mutants: readonly CheckedMutant[]): Promise<Record<string, CheckResult>> =>
    Object.fromEntries(mutants.map((mutant) => [mutant.id, resultOf(mutant)])),
  /** All at once: each call is a message to another process. */
  group: async (mutants: readonly CheckedMutant[]): Promise<readonly (readonly string[])[]> => [
    mutants.map(({ id }) => id),
  ],
}

function resultOf({ fileName, replacement, location: { start } }: CheckedMutant): CheckResult {
  const name = { path: sourcePath(fileName), line: start.line + 1, column: start.column + 1, replacement }
  return isInSample(name, mutationSettings().sample)
    ? { status: 'passed' }
    : { status: 'compileError', reason: 'not in the sample' }
}

export const strykerPlugins: readonly object[] = [{ kind: 'Checker', name: 'sample', value: checker }]
