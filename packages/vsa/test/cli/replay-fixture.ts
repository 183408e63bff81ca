import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parseKeyField } from '../../src/cli/replay/key-field.ts'
import type { ReplayOptions } from '../../src/cli/replay/replay.ts'

export const NOON: number = Date.parse('2024-05-05T12:00:00Z')

/** A log of these lines; gzip where its name says so. */
export function aLog(folder: string, lines: readonly string[], name = 'access.log'): string {
  const path = join(folder, name)
  const content = lines.join('\n')
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content)
  return path
}

/** A request by a key, so many ms after noon. */
export const json = (key: string, afterMs: number, cost = 1): string =>
  JSON.stringify({ key, at: NOON + afterMs, cost })
/** A line of an access log, in that second after noon. */
export const access = (ip: string, second: number): string =>
  `${ip} - - [05/May/2024:12:00:${String(second).padStart(2, '0')} +0000] "GET / HTTP/1.1" 200 5 "-" "-"`

/** Of `replay`, for logs of `json`. */
export const options = (file: string, part: Partial<ReplayOptions> = {}): ReplayOptions => ({
  file,
  key: parseKeyField('key'),
  limit: 60,
  per: 60_000,
  flushIntervalMs: 100,
  showsProgress: false,
  ...part,
})

/** One request of each of so many keys. @param gapMs between two of them */
export function onceEach(gapMs: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => json(`key ${index}`, Math.floor(index * gapMs)))
}

/** What the tests of many keys read of the JSON. */
export interface ManyKeys {
  readonly ok: boolean
  readonly trade: readonly { readonly flushIntervalMs: number; readonly storeCalls: number }[]
}

/** Requests with several costs, of keys that are used more and less often. */
export function mixed(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => json(`key ${(index * index) % 37}`, index * 777, 1 + (index % 3)))
}
