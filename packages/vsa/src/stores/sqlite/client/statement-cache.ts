import { StoreError } from '../../../core/errors.ts'
import type { Connection, Statement } from './driver.ts'

/** A connection's prepared statements: each text is prepared once. */
export class StatementCache {
  readonly #connection: Connection
  readonly #statements = new Map<string, Statement>()
  #open = true

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** @throws StoreError `store_closed` after `close` */
  statement(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (!this.#open)
      throw new StoreError('store_closed', 'the SQLite file has been closed', { applied: 'no', transient: false })
    const statement = this.#connection.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** Releases the statements: libsql keeps the file open while one of them is reachable. */
  close(): void {
    this.#open = false
    this.#statements.clear()
  }
}
