import type { Canary } from './canary.ts'

/** Bugs that only the SQLite store can have: in its data besides the rows, and in its SQLite settings. */
export const SQLITE_CANARIES: readonly Canary[] = [
  {
    name: 'sqlite-stale-lease-total',
    rules: ['S7', 'L2'],
    what: 'the total of the other leases on a row includes those of closed epochs, which count as burned',
    file: 'stores/sqlite/load-entries',
    find: 'othersHeld: ended.reduce((sum, lease) => sum - lease.held, integer(row[BUDGET_WIDTH + 2])),',
    replace: 'othersHeld: integer(row[BUDGET_WIDTH + 2]),',
  },
  {
    name: 'sqlite-burning-done-after-one-slice',
    rules: ['S8', 'L4'],
    what: 'burning is marked as complete after one slice, even when leases are left',
    file: 'core/maintain',
    find: 'burnedOut: isFull ? [] : rows.burning.filter((epoch) => !stuck.has(epoch)),',
    replace: 'burnedOut: rows.burning,',
  },
  {
    name: 'sqlite-cache-outlives-others-writes',
    rules: ['S7', 'L1'],
    what: 'rows that another connection has written since are taken from the cache',
    file: 'stores/sqlite/row-cache',
    find: 'if (version === this.#version)\n            return;',
    replace: 'if (this.#version !== -1)\n            return;',
  },
  {
    name: 'sqlite-cache-keeps-the-old-row',
    rules: ['S7', 'L2'],
    what: 'the cache keeps a row as it was before the exchange that this connection has committed',
    file: 'stores/sqlite/row-cache',
    find: 'cached.budget = { ...cached.budget, row };',
    replace: 'cached.budget = { ...cached.budget };',
  },
  {
    name: 'sqlite-not-synchronous',
    rules: ['S7'],
    what: 'commits are not synced to disk: synchronous is NORMAL, and is not read back',
    file: 'stores/sqlite/database',
    find: "connection.exec('PRAGMA synchronous = FULL');\n    if (firstInteger(connection.prepare('PRAGMA synchronous').get([])) !== FULL)\n        throw notDurable(path, 'synchronous=FULL');",
    replace: "connection.exec('PRAGMA synchronous = NORMAL');",
  },
  {
    name: 'sqlite-not-fullfsync',
    rules: ['S7'],
    what: 'on macOS commits end in the cache of the disk: fullfsync is not set, and is not read back',
    file: 'stores/sqlite/database',
    find: "connection.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');\n    if (firstInteger(connection.prepare('PRAGMA fullfsync').get([])) !== ON)\n        throw notDurable(path, 'fullfsync=ON');",
    replace: '',
  },
  {
    name: 'sqlite-locks-not-watched',
    rules: ['L1'],
    what: 'a commit is answered although this process has lost SQLite’s locks on the file',
    file: 'stores/sqlite/client/file-guard',
    find: "if (locks === 'held')\n            return;",
    replace: "if (locks !== 'unseen')\n            return;",
  },
]
