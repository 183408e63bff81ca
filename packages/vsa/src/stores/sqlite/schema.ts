import { InvariantError, StoreError } from '../../core/errors.ts'
import { begin, rollBack, type Connection } from './client/connection.ts'
import { firstInteger } from './rows.ts'

/** `vsa1` in ASCII, kept in the file's header: marks the file as a VSA store. */
const APPLICATION_ID = 0x76_73_61_31

/** The newest schema that this version can read and write. Kept in the file's header. */
const SCHEMA_VERSION = 4

/**
 * The fields are those of `core/rows.ts`. Beyond them:
 * - `store.time_seen` holds the highest store time that is in no open owner's `seen_at`, so an exchange need not write it.
 * - `store.leapt_from`, `leapt_at` and `leapt_until` hold the last leap of store time (S8, S10).
 * - `store.pruned_until` holds the store time from which no removed row can be made again: a repair of the clock goes back no further.
 * - `reservation.lots` is what `core/reservations/stored-lots.ts` writes, and `sweep_at` the time that `sweepAtOf` tells.
 * - `reservation` is in the order in which its rows were made, because those end together: a sweep reads and writes few pages. In schema 3 it was in
 *   the order of its keys.
 * - `reservation_key` names a reservation by the key of each of its budgets but the first.
 * - `owner.burning` is 1 from an epoch's end until none of its leases are left.
 * - `deleted_key` and `deleted_lease` are what is kept of deletions (P6): see `Deletion`.
 */
const RESERVATION = `
CREATE TABLE reservation (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  made_as TEXT NOT NULL CHECK (made_as IN ('reservation', 'admission')),
  request TEXT NOT NULL,
  on_expire TEXT NOT NULL CHECK (on_expire IN ('return', 'capture')),
  lots TEXT NOT NULL,
  sweep_at INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) STRICT;
CREATE INDEX reservation_sweep ON reservation (sweep_at);
`

const RESERVATIONS = `${RESERVATION}
CREATE TABLE reservation_key (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  first_key TEXT NOT NULL,
  PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;
`

const DELETIONS = `
CREATE TABLE deleted_key (
  key TEXT PRIMARY KEY,
  deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_key_at ON deleted_key (deleted_at);

CREATE TABLE deleted_lease (
  epoch INTEGER NOT NULL,
  key TEXT NOT NULL,
  period INTEGER NOT NULL,
  PRIMARY KEY (epoch, key, period)
) STRICT, WITHOUT ROWID;
`

const TABLES = `
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  incarnation TEXT NOT NULL,
  epochs INTEGER NOT NULL,
  time_seen INTEGER NOT NULL,
  leapt_from INTEGER NOT NULL DEFAULT 0,
  leapt_at INTEGER NOT NULL DEFAULT 0,
  leapt_until INTEGER NOT NULL DEFAULT 0,
  pruned_until INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO store (id, incarnation, epochs, time_seen) VALUES (1, lower(hex(randomblob(16))), 0, 0);

CREATE TABLE owner (
  epoch INTEGER PRIMARY KEY,
  token TEXT NOT NULL DEFAULT '',
  label TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  seq INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  lease_ttl_ms INTEGER NOT NULL,
  process TEXT,
  burning INTEGER NOT NULL
) STRICT;
CREATE INDEX owner_open ON owner (seen_at) WHERE state = 'open';
CREATE INDEX owner_closed ON owner (seen_at) WHERE state = 'closed';
CREATE INDEX owner_burning ON owner (epoch) WHERE burning = 1;

CREATE TABLE budget (
  key TEXT NOT NULL,
  period INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('initial', 'window')),
  minted INTEGER NOT NULL CHECK (minted >= 0),
  used INTEGER NOT NULL CHECK (used >= 0),
  pool INTEGER NOT NULL,
  burned INTEGER NOT NULL CHECK (burned >= 0),
  limit_units INTEGER NOT NULL,
  burn_max INTEGER NOT NULL,
  version INTEGER NOT NULL,
  wanted_until INTEGER NOT NULL,
  ends_at INTEGER,
  keep_until INTEGER,
  reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  resets INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (key, period)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_wanted ON budget (wanted_until) WHERE wanted_until > 0;
CREATE INDEX budget_kept ON budget (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE lease (
  key TEXT NOT NULL,
  period INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK (held > 0),
  PRIMARY KEY (key, period, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_epoch ON lease (epoch);

CREATE TABLE mint (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  units INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
${RESERVATIONS}${DELETIONS}
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** What each earlier schema lacks. A process of that version may have the file open: its statements must go on. */
const UPGRADES: Readonly<Record<number, string>> = {
  1: `
ALTER TABLE owner ADD COLUMN token TEXT NOT NULL DEFAULT '';
ALTER TABLE store ADD COLUMN leapt_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN leapt_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN leapt_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN pruned_until INTEGER NOT NULL DEFAULT 0;
-- What was removed before is not known: it was due by the time of its transaction.
UPDATE store SET pruned_until = max(time_seen, coalesce((SELECT max(seen_at) FROM owner), 0));
PRAGMA user_version = 2;
`,
  2: `
ALTER TABLE budget ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0);
ALTER TABLE budget ADD COLUMN resets INTEGER NOT NULL DEFAULT 0;
${RESERVATIONS}
PRAGMA user_version = 3;
`,
  3: `
ALTER TABLE reservation RENAME TO reservation_of_schema_3;
DROP INDEX reservation_sweep;
${RESERVATION}
INSERT INTO reservation SELECT * FROM reservation_of_schema_3 ORDER BY sweep_at;
DROP TABLE reservation_of_schema_3;
${DELETIONS}
PRAGMA user_version = 4;
`,
}

/**
 * Creates the tables in an empty file, adds what an older schema lacks, and refuses a file of another application. A refused file is not changed.
 * @throws StoreError `not_a_database`, `schema_too_new`; also the errors of the client
 */
export function ensureSchema(connection: Connection, path: string): void {
  if (within(connection, 'read', () => schemaOf(connection, path)) === SCHEMA_VERSION) return
  // Two processes may get here at the same time: the second one finds the tables.
  within(connection, 'write', () => {
    for (;;) {
      const version = schemaOf(connection, path)
      if (version === SCHEMA_VERSION) return
      connection.exec(version === null ? TABLES : (UPGRADES[version] ?? noUpgrade(version)))
    }
  })
}

/** The schema of a VSA store; null for an empty file. Call it inside a transaction, so that both numbers are consistent. */
export function schemaOf(connection: Connection, path: string): number | null {
  const application = firstInteger(connection.prepare('PRAGMA application_id').get([]))
  const version = firstInteger(connection.prepare('PRAGMA user_version').get([]))
  if (application === APPLICATION_ID) {
    if (version > SCHEMA_VERSION) throw tooNew(path, version)
    return version
  }
  const tables = firstInteger(connection.prepare('SELECT count(*) FROM sqlite_schema').get([]))
  if (application !== 0 || version !== 0 || tables > 0) throw foreign(path)
  return null
}

function within<T>(connection: Connection, kind: 'read' | 'write', work: () => T): T {
  begin(connection, kind)
  try {
    const result = work()
    connection.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(connection)
    throw error
  }
}

function noUpgrade(version: number): never {
  throw new InvariantError(`no schema ${version} was ever written`)
}

function tooNew(path: string, version: number): StoreError {
  const message = `${path} has schema ${version}, written by a newer vsa; this one knows schema ${SCHEMA_VERSION}. Upgrade vsa in this process`
  return new StoreError('schema_too_new', message, { applied: 'no', transient: false })
}

function foreign(path: string): StoreError {
  const message = `${path} is a SQLite database of another application, and has been left as it was. Give vsa a file of its own`
  return new StoreError('not_a_database', message, { applied: 'no', transient: false })
}
