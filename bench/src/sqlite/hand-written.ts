import Database from 'libsql'

/** The SQLite client of both sides. */
export const DRIVER = 'libsql'

/** The design without VSA: one guarded UPDATE for each request, durable when it returns. */
export class HandWritten {
  readonly #database: Database.Database
  readonly #admit: Database.Statement

  /** With the same pragmas as the store of VSA. */
  constructor(path: string, minted: number) {
    this.#database = new Database(path)
    this.#database.exec('PRAGMA journal_mode = WAL')
    this.#database.exec('PRAGMA synchronous = FULL')
    this.#database.exec(
      'CREATE TABLE budget (key TEXT PRIMARY KEY, used INTEGER NOT NULL, minted INTEGER NOT NULL) STRICT, WITHOUT ROWID',
    )
    this.#database.prepare('INSERT INTO budget VALUES (?, 0, ?)').run('hot', minted)
    this.#admit = this.#database.prepare('UPDATE budget SET used = used + 1 WHERE key = ? AND used + 1 <= minted')
  }

  admit(): boolean {
    return this.#admit.run('hot').changes === 1
  }

  used(): number {
    const row: unknown = this.#database.prepare('SELECT used FROM budget').raw().get()
    return Array.isArray(row) ? Number(row[0]) : Number.NaN
  }

  close(): void {
    this.#database.close()
  }
}
