/** A connection taken from a {@link PostgresPool}. The `PoolClient` of `pg` fits as it is. */
export interface PostgresClient {
  /**
   * Sends one message of several statements, without parameters. Resolves once the server is ready for the next message (`ReadyForQuery`): to the
   * result of the last statement, or to the list of all results. A result of a row has `rows`, objects by column name.
   */
  query(text: string): Promise<unknown>
  /** Gives the connection back; with `true` it is closed instead. */
  release(destroy?: boolean): void
  on?(event: 'error', listener: (error: Error) => void): unknown
  removeListener?(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * A pool of connections, made and ended by the user. The `Pool` of `pg` fits as it is. `connect` is needed, not only `query`: a transaction is
 * two messages with the decision between them, and both must go over one connection. It works through PgBouncer in transaction mode, because no
 * state of a session is used.
 */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on?(event: 'error', listener: (error: Error) => void): unknown
  removeListener?(event: 'error', listener: (error: Error) => void): unknown
}
