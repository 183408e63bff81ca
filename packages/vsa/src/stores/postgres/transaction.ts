import { InvariantError } from '../../core/errors.ts'
import { endsConnection, isConflict, isFromServer, storeErrorOf } from './errors.ts'
import type { PostgresClient, PostgresPool } from './pool.ts'

/** A transaction that waits longer than this for a lock fails, and is tried again. */
export const LOCK_TIMEOUT_MS = 2_000
/** The server ends a transaction whose process sends nothing for this long: its rows are locked for all. */
const IDLE_TIMEOUT_MS = 5_000

/**
 * Begins a transaction, whatever the defaults of the role are. A statement sees what was committed before it, so each one behind a lock sees what
 * the lock guards. A commit is durable before it is answered. Rows are found by indexes alone (L8): statistics of a table that was empty a moment ago
 * would have whole tables read.
 */
const BEGIN = `
begin isolation level read committed;
select set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true), set_config('jit', 'off', true),
set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT_MS}', true),
set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, true);
`

/** One connection of the pool, from the first message of a transaction to its last. */
export class Transaction {
  readonly #client: PostgresClient
  readonly #schema: string

  private constructor(client: PostgresClient, schema: string) {
    this.#client = client
    this.#schema = schema
    // Without a listener, a connection that breaks between two messages ends the process.
    client.on?.('error', ignore)
  }

  /**
   * Takes a connection, and begins with these statements in one message.
   * @returns the transaction, and the answer of the last statement: the JSON text of its column `answer`
   * @throws StoreError: nothing was applied, and the connection is given back
   */
  static async begin(
    pool: PostgresPool,
    schema: string,
    statements: string,
  ): Promise<{ readonly transaction: Transaction; readonly answer: unknown }> {
    const transaction = new Transaction(await connected(pool, schema), schema)
    try {
      return { transaction, answer: answerIn(await transaction.#client.query(`${BEGIN}${statements}`)) }
    } catch (error) {
      await transaction.#failed(error)
      throw storeErrorOf(error, schema, 'work')
    }
  }

  /**
   * Sends these statements and the commit in one message. Durable on return.
   * @param statements may throw an InvariantError: nothing was sent
   * @returns false when another transaction made one of the rows first: nothing was applied
   * @throws StoreError, which says whether it may have been applied
   */
  async commit(statements: () => string): Promise<boolean> {
    try {
      await this.#client.query(`${statements()}\ncommit`)
    } catch (error) {
      await this.#failed(error)
      if (isConflict(error)) return false
      throw storeErrorOf(error, this.#schema, 'commit')
    }
    this.#release(false)
    return true
  }

  /** Ends the transaction without a change. A connection that cannot do it is closed, which does the same. */
  async rollBack(): Promise<void> {
    try {
      await this.#client.query('rollback')
    } catch {
      this.#release(true)
      return
    }
    this.#release(false)
  }

  /** After an error of the server the connection goes on. After any other, a statement may still run on it: it is closed. */
  async #failed(error: unknown): Promise<void> {
    if (isFromServer(error)) await this.rollBack()
    else this.#release(true)
  }

  #release(destroy: boolean): void {
    this.#client.removeListener?.('error', ignore)
    this.#client.release(destroy)
  }
}

/** The answer of one message that writes nothing. @throws StoreError: nothing was applied */
export function answerOf(pool: PostgresPool, schema: string, statement: string): Promise<unknown> {
  return onConnection(pool, schema, statement, (error) => {
    throw storeErrorOf(error, schema, 'work')
  })
}

/**
 * The answer of one statement that is a transaction of its own. Durable on return.
 * @returns undefined when the server undid it, for a reason that `isUndone` knows by its error
 * @throws StoreError, which says whether it may have been applied
 */
export function answerOfCommit(
  pool: PostgresPool,
  schema: string,
  statement: string,
  isUndone: (error: unknown) => boolean,
): Promise<unknown> {
  return onConnection(pool, schema, statement, (error) => {
    if (isUndone(error)) return undefined
    throw storeErrorOf(error, schema, 'commit')
  })
}

async function onConnection(
  pool: PostgresPool,
  schema: string,
  statement: string,
  failed: (error: unknown) => unknown,
): Promise<unknown> {
  const client = await connected(pool, schema)
  // Without a listener, a connection that breaks during the query ends the process.
  client.on?.('error', ignore)
  let isUsable = false
  try {
    const answer = answerIn(await client.query(statement))
    isUsable = true
    return answer
  } catch (error) {
    // After an error that is not the server's, a statement may still run on the connection.
    isUsable = !endsConnection(error)
    return failed(error)
  } finally {
    client.removeListener?.('error', ignore)
    client.release(!isUsable)
  }
}

async function connected(pool: PostgresPool, schema: string): Promise<PostgresClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw storeErrorOf(error, schema, 'connect')
  }
}

/** Drivers answer a message of several statements with a list of results, or with the last one. */
function answerIn(results: unknown): unknown {
  const last: unknown = Array.isArray(results) ? results.at(-1) : results
  const rows: unknown = typeof last === 'object' && last !== null && 'rows' in last ? last.rows : undefined
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined
  const text: unknown = typeof row === 'object' && row !== null && 'answer' in row ? row.answer : undefined
  if (text === null) return null
  if (typeof text !== 'string') throw new InvariantError('the pool must answer with rows, objects by column name')
  try {
    return JSON.parse(text)
  } catch {
    // A bug must not look like a lost connection.
    throw new InvariantError(`the answer is no JSON: ${text.slice(0, 200)}`)
  }
}

function ignore(): void {}
