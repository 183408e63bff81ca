import { CommandError, type Report } from './report.ts'
import { escaped } from './safe-text.ts'
import { placeOf } from './stores/place-of.ts'
import type { Migration, StorePlace } from './stores/store-place.ts'

/**
 * Makes the tables of a store where they are missing, and changes those of an older version. Several may run at once.
 * @param isPrint prints the statements, and connects to nothing
 * @throws CommandError `not_supported` for a store that needs none; StoreError
 */
export async function migrate(address: string, isPrint: boolean): Promise<Report> {
  const place = placeOf(address)
  const migration = migrationOf(place)
  return isPrint ? printed(place, migration) : migrated(place, migration)
}

function migrationOf({ name, migration }: StorePlace): Migration {
  if (migration !== undefined) return migration
  throw new CommandError(
    'not_supported',
    `${name} needs no migration: the first call of an engine makes what the store needs`,
  )
}

function printed({ name }: StorePlace, { script }: Migration): Report {
  return { ok: true, json: { ok: true, store: name, sql: script }, text: script }
}

async function migrated({ name }: StorePlace, migration: Migration): Promise<Report> {
  const { version, isMade, isMigrated } = await migration.run()
  const kept = isMigrated ? 'changed the tables of an older version' : 'the tables are there, and nothing was changed'
  const what = isMade ? 'made the tables' : kept
  return {
    ok: true,
    json: { ok: true, store: name, version, made: isMade, migrated: isMigrated },
    text: `${escaped(name)}: ${what} (version ${version}).`,
  }
}
