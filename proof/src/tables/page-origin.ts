import { execFileSync } from 'node:child_process'

/** What a generated page says of its figures. */
export interface PageOrigin {
  readonly commit: string
  /** As in `2026-11-22`. */
  readonly date: string
}

/** The commit that is checked out, and today's date. */
export function pageOrigin(): PageOrigin {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  return { commit, date: new Date().toISOString().slice(0, 10) }
}
