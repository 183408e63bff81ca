import { existsSync } from 'node:fs'
import { StoreError } from '../../core/errors.ts'
import { isDamage } from '../../stores/sqlite/errors.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { openReadOnly } from '../../stores/sqlite/inspect.ts'
import { CommandError } from '../report.ts'
import { UsageError } from '../command.ts'
import { sqliteInspection } from './sqlite-inspection.ts'
import type { StorePlace } from './store-place.ts'

/** A place in a SQLite file. */
export interface SqlitePlace extends StorePlace {
  /** Of the file. */
  readonly path: string
}

/** @param address as typed @throws UsageError for an empty path */
export function sqlitePlace(address: string, path: string): SqlitePlace {
  if (path === '') throw new UsageError('the address of the store has no path')
  return {
    path,
    name: address,
    address,
    verdicts: { sound: 'The file is sound.', damaged: 'The file is damaged: restore it from a backup.' },
    assertNew: async () => {
      if (existsSync(path))
        throw new CommandError('store_exists', `${path} exists already: name a file that does not, or remove it`)
    },
    withStore: (options, work) => work(sqlite(path, options)),
    onClock: (options) => sqlite(path, { thread: false, ...options }),
    inspect: async () => sqliteInspection(await openReadOnly(existing(path))),
    isDamage: (error) => error instanceof StoreError && error.code !== 'not_a_database' && isDamage(error.cause),
  }
}

function existing(path: string): string {
  if (existsSync(path)) return path
  throw new CommandError('no_such_file', `${path} does not exist: name the SQLite file of a store`)
}

/** The path of a store that must be an existing SQLite file. @throws CommandError `not_supported`, `no_such_file` */
export function existingSqliteFile(place: StorePlace, what: string): string {
  if ('path' in place && typeof place.path === 'string') return existing(place.path)
  throw new CommandError(
    'not_supported',
    `${what} is for SQLite files alone: other stores go by the clock of their server`,
  )
}
