import type { Canary } from './canary.ts'

/** Bugs that only the SQLite store can have: what it keeps besides the rows, and what it asks of SQLite. */
export const SQLITE_CANARIES: readonly Canary[] = [
  {
    name: 'sqlite-stale-lease-total',
    rules: ['S7', 'L2'],
    what: 'the totals of a row’s leases are kept although the lease of another epoch has changed',
    file: 'stores/sqlite/ledger',
    find: '{ ...known.leases, held } : undefined;',
    replace: '{ ...known.leases, held } : known.leases;',
  },
  {
    name: 'sqlite-burning-done-after-one-slice',
    rules: ['S8', 'L4'],
    what: 'burning is marked as done after one slice, whatever is left',
    file: 'stores/sqlite/ledger',
    find: 'if (leases.length === 0)\n            this.#run(sql.BURNED, []);',
    replace: 'this.#run(sql.BURNED, []);',
  },
  {
    name: 'sqlite-not-synchronous',
    rules: ['S7'],
    what: 'commits are not synced to the disk: synchronous is NORMAL, and is not read back',
    file: 'stores/sqlite/database',
    find: "connection.exec('PRAGMA synchronous = FULL');\n    if (firstInteger(connection.prepare('PRAGMA synchronous').get([])) !== FULL)\n        throw notDurable(path, 'synchronous=FULL');",
    replace: "connection.exec('PRAGMA synchronous = NORMAL');",
  },
]
