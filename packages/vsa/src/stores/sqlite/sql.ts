/** All SQL statements of the store. */
import { UNITS_MAX } from '../../core/units.ts'
import { BUDGET_COLUMNS, OWNER_COLUMNS, RESERVATION_COLUMNS } from './rows.ts'

/* What one damaged row has may not keep the others from being read (S6): beyond what a number holds, the driver fails the whole statement. */

/** Store time seen, the latest `wanted_until`, whether an epoch is burning, whether one has yet to hear of a deletion, and the calling owner: the first read of an exchange. */
export const OPENING: string = `
SELECT max(s.time_seen, coalesce((SELECT max(seen_at) FROM owner WHERE state = 'open'), 0)),
  min(coalesce((SELECT max(wanted_until) FROM budget WHERE wanted_until > 0), 0), ${UNITS_MAX}),
  EXISTS (SELECT 1 FROM owner WHERE burning = 1),
  EXISTS (SELECT 1 FROM deleted_lease WHERE epoch > 0),
  ${prefixed('o', OWNER_COLUMNS)}
FROM store s LEFT JOIN owner o ON o.epoch = ?`

export const OWNERS: string = `SELECT ${OWNER_COLUMNS} FROM owner ORDER BY epoch`
/** Schema 1 has no tokens. */
export const OWNERS_OF_SCHEMA_1: string = OWNERS.replace('token', "'' AS token")
/** Uses the partial index on open owners: closed ones stay for a week, and may be many. */
export const OPEN_OWNERS: string = `
SELECT ${OWNER_COLUMNS}, EXISTS (SELECT 1 FROM lease WHERE lease.epoch = owner.epoch)
FROM owner INDEXED BY owner_open WHERE state = 'open' ORDER BY epoch`
export const BURNING_EPOCHS: string = 'SELECT epoch FROM owner WHERE burning = 1 ORDER BY epoch'
export const FORGETTABLE_OWNERS: string = `
SELECT epoch FROM owner WHERE state = 'closed' AND seen_at < ? AND burning = 0
  AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.epoch = owner.epoch) LIMIT ?`
export const INSERT_OWNER: string = `
INSERT INTO owner (${OWNER_COLUMNS}, burning) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
/** The columns that an exchange changes. None is in the condition of a partial index, so only one index is updated: that of `seen_at`. */
export const RENEW_OWNER: string = 'UPDATE owner SET seq = ?, outcome = ?, seen_at = ?, expires_at = ? WHERE epoch = ?'
/** In the same millisecond as the owner's last exchange: no index is updated, which is one page less to write and to sync. */
export const RENEW_OWNER_AGAIN: string = 'UPDATE owner SET seq = ?, outcome = ? WHERE epoch = ?'
export const CLOSE_OWNER: string = `
UPDATE owner SET state = 'closed', burning = EXISTS (SELECT 1 FROM lease l WHERE l.epoch = owner.epoch), seq = ?, outcome = ?, seen_at = ?, expires_at = ? WHERE epoch = ?`
export const BURNED_OUT: string = 'UPDATE owner SET burning = 0 WHERE epoch = ?'
export const REMOVE_OWNER: string = 'DELETE FROM owner WHERE epoch = ?'
export const LAST_EPOCH: string = 'SELECT epochs FROM store'
export const RAISE_EPOCH: string = 'UPDATE store SET epochs = max(epochs, ?)'
export const RAISE_TIME: string = 'UPDATE store SET time_seen = max(time_seen, ?)'
/** The last leap of store time, the next retention that ends, and the next sweep. */
export const LEAP: string = `
SELECT leapt_from, leapt_at, leapt_until,
  min((SELECT min(keep_until) FROM budget WHERE keep_until IS NOT NULL AND keep_until >= ?), ${UNITS_MAX}),
  min(max((SELECT min(sweep_at) FROM reservation), 0), ${UNITS_MAX})
FROM store s`
export const SAVE_LEAP: string = 'UPDATE store SET leapt_from = ?, leapt_at = ?, leapt_until = ?'
export const RAISE_PRUNED: string = 'UPDATE store SET pruned_until = max(pruned_until, ?)'

/** A row with the leases on it: this epoch's units, then the number and units of the others. */
export const BUDGET: string = `
SELECT ${prefixed('b', BUDGET_COLUMNS)},
  coalesce(sum(l.held) FILTER (WHERE l.epoch = ?), 0),
  count(l.epoch) FILTER (WHERE l.epoch <> ?),
  coalesce(sum(l.held) FILTER (WHERE l.epoch <> ?), 0)
FROM budget b LEFT JOIN lease l ON l.key = b.key AND l.period = b.period
WHERE b.key = ? AND b.period = ? GROUP BY b.key, b.period`
export const READ_BUDGET: string = `SELECT ${BUDGET_COLUMNS} FROM budget WHERE key = ? AND period = ?`
/** The columns that most exchanges change. None is indexed, so one page is written. */
export const SETTLE_BUDGET: string =
  'UPDATE budget SET minted = ?, used = ?, pool = ?, burned = ?, reserved = ? WHERE key = ? AND period = ?'
export const SAVE_BUDGET: string = `
INSERT INTO budget (${BUDGET_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key, period) DO UPDATE SET kind = excluded.kind, minted = excluded.minted, used = excluded.used, pool = excluded.pool,
  burned = excluded.burned, limit_units = excluded.limit_units, burn_max = excluded.burn_max, version = excluded.version,
  wanted_until = excluded.wanted_until, ends_at = excluded.ends_at, keep_until = excluded.keep_until,
  reserved = excluded.reserved, resets = excluded.resets`
/** P2: what the latest earlier row of a key hands on. */
export const EARLIER_BUDGET: string =
  'SELECT limit_units, burn_max, version, period, ends_at FROM budget WHERE key = ? AND period < ? ORDER BY period DESC LIMIT 1'
export const REMOVE_BUDGET: string = 'DELETE FROM budget WHERE key = ? AND period = ?'
export const PRUNABLE_BUDGETS: string = `
SELECT key, period, ends_at FROM budget
WHERE keep_until IS NOT NULL AND keep_until < ? AND reserved = 0 AND coalesce(ends_at, 0) BETWEEN ${-UNITS_MAX} AND keep_until
  AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.key = budget.key AND lease.period = budget.period)
ORDER BY keep_until LIMIT ?`

export const SAVE_LEASE: string = `
INSERT INTO lease (key, period, epoch, held) VALUES (?, ?, ?, ?) ON CONFLICT (key, period, epoch) DO UPDATE SET held = excluded.held`
export const REMOVE_LEASE: string = 'DELETE FROM lease WHERE key = ? AND period = ? AND epoch = ?'
/** `CROSS JOIN` keeps SQLite from changing the order: few rows are wanted, few epochs are burning. */
export const WANTED: string = `
SELECT b.key, b.period FROM budget b CROSS JOIN lease l ON l.key = b.key AND l.period = b.period AND l.epoch = ?
WHERE b.wanted_until > 0 AND b.wanted_until > ? LIMIT ?`
/** Leases of closed epochs: all of them, where units that cannot be are null, and those on one row. */
export const ENDED_LEASES: string = `
SELECT l.key, l.period, l.epoch, CASE WHEN l.held BETWEEN 1 AND ${UNITS_MAX} THEN l.held END FROM owner o CROSS JOIN lease l ON l.epoch = o.epoch WHERE o.burning = 1 LIMIT ?`
export const ENDED_LEASES_ON: string = `
SELECT l.key, l.period, l.epoch, l.held FROM lease l CROSS JOIN owner o ON o.epoch = l.epoch
WHERE l.key = ? AND l.period = ? AND o.burning = 1`

export const MINT: string = 'SELECT units FROM mint WHERE key = ? AND id = ?'
export const SAVE_MINT: string = 'INSERT INTO mint (key, id, units) VALUES (?, ?, ?)'
export const COUNTER: string = 'SELECT value FROM counter WHERE key = ?'
export const SAVE_COUNTER: string =
  'INSERT INTO counter (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'

/**
 * By the key of any of its budgets, and the id: all of a list as JSON, because a statement for each would cost three times as much. The first column is
 * the index in the list, the second one the key of its first budget where it is named by another one: all its lots are answered under that name alone.
 */
export const RESERVATIONS: string = `
SELECT j.key, k.first_key, ${prefixed('r', RESERVATION_COLUMNS)} FROM json_each(?) j
  LEFT JOIN reservation_key k ON k.key = j.value ->> 0 AND k.id = j.value ->> 1
  LEFT JOIN reservation r ON r.key = j.value ->> 0 AND r.id = j.value ->> 1
WHERE k.first_key IS NOT NULL OR r.key IS NOT NULL`
export const INSERT_RESERVATION: string = `
INSERT INTO reservation (${RESERVATION_COLUMNS}, sweep_at) VALUES (?, ?, ?, ?, ?, ?, ?)`
export const INSERT_RESERVATION_KEY: string = 'INSERT INTO reservation_key (key, id, first_key) VALUES (?, ?, ?)'
export const CHANGE_RESERVATION: string = 'UPDATE reservation SET lots = ?, sweep_at = ? WHERE key = ? AND id = ?'
export const REMOVE_RESERVATION: string = 'DELETE FROM reservation WHERE key = ? AND id = ?'
export const REMOVE_RESERVATION_KEY: string = 'DELETE FROM reservation_key WHERE key = ? AND id = ?'
export const SWEEPABLE: string = `
SELECT ${RESERVATION_COLUMNS} FROM reservation WHERE sweep_at <= ? ORDER BY sweep_at LIMIT ? OFFSET ?`

/** P6: what there is of one key, at most so many. */
export const RESERVATIONS_OF_KEY: string = `
SELECT ${RESERVATION_COLUMNS} FROM reservation WHERE key = ?
UNION ALL
SELECT ${prefixed('r', RESERVATION_COLUMNS)} FROM reservation_key k CROSS JOIN reservation r ON r.key = k.first_key AND r.id = k.id
WHERE k.key = ? LIMIT ?`
export const MINTS_OF_KEY: string = 'SELECT id FROM mint WHERE key = ? LIMIT ?'
export const LEASES_OF_KEY: string = 'SELECT key, period, epoch, held FROM lease WHERE key = ?'
export const PERIODS_OF_KEY: string = 'SELECT period FROM budget WHERE key = ? ORDER BY period LIMIT ?'
export const REMOVE_MINT: string = 'DELETE FROM mint WHERE key = ? AND id = ?'
export const SAVE_DELETED_KEY: string =
  'INSERT INTO deleted_key (key, deleted_at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET deleted_at = excluded.deleted_at'
export const DELETED_KEY: string = 'SELECT 1 FROM deleted_key WHERE key = ? AND deleted_at >= ?'
export const FORGET_DELETED_KEYS: string =
  'DELETE FROM deleted_key WHERE key IN (SELECT key FROM deleted_key WHERE deleted_at < ? ORDER BY deleted_at LIMIT ?)'
export const SAVE_DELETED_LEASE: string =
  'INSERT INTO deleted_lease (epoch, key, period) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
export const DELETED_LEASE: string = 'SELECT 1 FROM deleted_lease WHERE epoch = ? AND key = ? AND period = ?'
export const HEAR_DELETION: string = 'DELETE FROM deleted_lease WHERE epoch = ? AND key = ? AND period = ?'
export const FORGET_DELETIONS: string = 'DELETE FROM deleted_lease WHERE epoch = ?'

/** For listings: rows of one key, or of all, after a given row. */
export const LIST: string = `SELECT ${BUDGET_COLUMNS} FROM budget WHERE (key, period) > (?, ?) ORDER BY key, period LIMIT ?`
export const LIST_KEY: string = `SELECT ${BUDGET_COLUMNS} FROM budget WHERE key = ? AND period > ? ORDER BY period LIMIT ?`
/** Older schemas reserve nothing. */
export const LIST_OF_SCHEMA_2: string = LIST.replace('reserved, resets', '0, 0')
export const LIST_KEY_OF_SCHEMA_2: string = LIST_KEY.replace('reserved, resets', '0, 0')
export const LIST_NAMES: string =
  'SELECT key, period FROM budget WHERE (key, period) > (?, ?) ORDER BY key, period LIMIT ?'
export const LIST_NAMES_KEY: string =
  'SELECT key, period FROM budget WHERE key = ? AND period > ? ORDER BY period LIMIT ?'
export const LIST_LEASES: string = `
SELECT key, period, epoch, held FROM lease WHERE (key, period) >= (?, ?) AND (key, period) <= (?, ?) ORDER BY key, period, epoch`
/** Reservations by the key of their first budget, and those of one key. Under one key no two have the same id. */
export const LIST_RESERVATIONS: string = `
SELECT ${RESERVATION_COLUMNS} FROM reservation WHERE (key, id) > (?, ?) ORDER BY key, id LIMIT ?`
export const LIST_RESERVATIONS_KEY: string = `
SELECT ${RESERVATION_COLUMNS} FROM reservation WHERE key = ? AND id > ?
UNION ALL
SELECT ${prefixed('r', RESERVATION_COLUMNS).replace('r.id', 'k.id')} FROM reservation_key k CROSS JOIN reservation r ON r.key = k.first_key AND r.id = k.id
WHERE k.key = ? AND k.id > ?
ORDER BY id LIMIT ?`
export const LIST_COUNTERS: string = 'SELECT key, value FROM counter WHERE key > ? ORDER BY key LIMIT ?'

function prefixed(table: string, columns: string): string {
  return columns
    .split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ')
}
