import Database from 'libsql'
import type { Done } from '../measure/callers.ts'

/** Rows that one transaction makes; it settles as many, those of the one before. */
const ROWS = 1_000
const REQUEST = '["reservation","all",[["b","hot",2]]]'

/**
 * What SQLite alone takes for reserve and settle: a loop of prepared statements, one INSERT and later one UPDATE of the same row, in transactions of
 * 1,000. The rows and the indexes are those of the store; nothing is checked, asked or answered.
 */
export class BareReservations {
  readonly #database: Database.Database
  readonly #insert: Database.Statement
  readonly #update: Database.Statement
  #made = 0
  #open: readonly string[] = []

  constructor(path: string) {
    this.#database = new Database(path)
    this.#database.exec(`PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE reservation (
  key TEXT NOT NULL, id TEXT NOT NULL, made_as TEXT NOT NULL, request TEXT NOT NULL, on_expire TEXT NOT NULL, lots TEXT NOT NULL, sweep_at INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) STRICT;
CREATE INDEX reservation_sweep ON reservation (sweep_at);`)
    this.#insert = this.#database.prepare('INSERT INTO reservation VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#update = this.#database.prepare('UPDATE reservation SET lots = ?, sweep_at = ? WHERE key = ? AND id = ?')
  }

  /** Pairs of both, until the time is over. */
  run(seconds: number): Done {
    const startedAtMs = performance.now()
    let count = 0
    while (performance.now() - startedAtMs < seconds * 1_000) {
      count += this.#open.length
      this.#transaction()
    }
    return { count, seconds: (performance.now() - startedAtMs) / 1_000 }
  }

  close(): void {
    this.#database.close()
  }

  #transaction(): void {
    const ids = Array.from({ length: ROWS }, () => `request-${(this.#made += 1)}`)
    this.#database.exec('BEGIN IMMEDIATE')
    for (const id of ids)
      this.#insert.run('hot', id, 'reservation', REQUEST, 'return', lots('open', this.#made), this.#made)
    for (const id of this.#open) this.#update.run(lots('final', this.#made), this.#made, 'hot', id)
    this.#database.exec('COMMIT')
    this.#open = ids
  }
}

function lots(state: string, at: number): string {
  return `[{"units":2,"uncovered":0,"state":"${state}","expiresAt":${1_700_000_000_000 + at},"keepUntil":null,"sources":[{"key":"hot","period":0,"charged":2,"refunded":null,"resets":0}]}]`
}
