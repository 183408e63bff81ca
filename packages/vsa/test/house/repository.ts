import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** The top of the repository. */
export const root: string = join(import.meta.dirname, '../../../..')

/** The text of a file, named from the top of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Every file that git knows or would add, from the top of the repository: what is there, without what is built or installed. */
export function files(...patterns: string[]): string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  })
  return [...new Set(out.split('\n').filter((line) => line !== ''))].sort()
}

/** A folder for one test file, removed after it. Call it outside the tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-house-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
