import type { StoreLife } from '../../core/adapter.ts'
import { nameLiteral } from './literals.ts'
import type { PostgresPool } from './pool.ts'
import { integer, list, text } from './rows.ts'
import { answerOf } from './transaction.ts'

/*
 * The incarnation of a store that may forget (stores.md section 5): the id of the store and the timeline of the server, which a promotion changes, and
 * a restart does not. `store.kept_incarnation` has the one in which the tables were made, at first.
 */

/** The timeline of the server: eight digits. Any role may read it. */
const TIMELINE = `substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`

/**
 * The present incarnation.
 * @param id an expression: the id of the store
 */
export function presentIncarnation(id: string): string {
  return `${id}::text || ':' || ${TIMELINE}`
}

/**
 * What a load answers of the life of the store, as an expression: null for one that never forgets. It is read in the statement that reads the rows,
 * behind the locks.
 */
export function lifeColumns(schema: string, mayForget: boolean): string {
  if (!mayForget) return 'null'
  return `(select json_build_array(${presentIncarnation('incarnation')}, kept_incarnation, frozen_until) from ${schema}.store)`
}

/** @param answer of {@link lifeColumns} */
export function lifeFrom(answer: unknown): StoreLife | undefined {
  if (answer === null) return undefined
  const [incarnation, keptIncarnation, frozenUntil] = list(answer)
  return {
    incarnation: text(incarnation),
    keptIncarnation: text(keptIncarnation),
    frozenUntil: integer(frozenUntil),
    mayForget: true,
  }
}

/**
 * Whether acknowledged writes may be forgotten: there is a standby for which no commit waits, or one was promoted since the tables were made.
 * @throws the errors of the connection
 */
export async function readMayForget(pool: PostgresPool, schema: string): Promise<boolean> {
  const statement = `
select (frozen_until > 0 or kept_incarnation <> ${presentIncarnation('incarnation')}
or (current_setting('synchronous_standby_names') = '' and exists (select from pg_stat_replication)))::text answer
from ${nameLiteral(schema)}.store`
  return (await answerOf(pool, schema, statement)) === true
}
