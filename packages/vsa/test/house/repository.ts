import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** The top of the repository. */
export const root: string = join(import.meta.dirname, '../../../..')

/** The text of a file. @param path relative to the top of the repository */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Every file that git has or would add, relative to the top of the repository: without what is built or installed. */
export function files(...patterns: string[]): string[] {
  // The repository may belong to another user than the one that runs the tests.
  const trust = ['-c', `safe.directory=${realpathSync(root)}`]
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns]
  const out = execFileSync('git', [...trust, ...list], { cwd: root, encoding: 'utf8' })
  return [...new Set(out.split('\n').filter((line) => line !== ''))].sort()
}

/** A folder for one test file, removed after its last test. Call it outside the tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-house-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
