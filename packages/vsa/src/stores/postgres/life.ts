import type { StoreLife } from '../../core/adapter.ts'
import { integer, list, text } from './rows.ts'

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
 * What a load answers of the life of the store, as an expression: null for one of which its user says that it never forgets. It is read in the statement
 * that reads the rows, behind the locks: so a promotion is seen by the first call after it, whatever was known when the store was opened.
 */
export function lifeColumns(schema: string, isWatched: boolean): string {
  if (!isWatched) return 'null'
  return `(select json_build_array(${presentIncarnation('incarnation')}, kept_incarnation, frozen_until) from ${schema}.store)`
}

/**
 * @param answer of {@link lifeColumns}
 * @param mayForget whether a failover may lose what was acknowledged, as it was read last. One that was promoted may have lost some already
 */
export function lifeFrom(answer: unknown, mayForget: boolean): StoreLife | undefined {
  if (answer === null) return undefined
  const [first, kept, frozen] = list(answer)
  const [incarnation, keptIncarnation, frozenUntil] = [text(first), text(kept), integer(frozen)]
  const wasPromoted = frozenUntil > 0 || keptIncarnation !== incarnation
  return { incarnation, keptIncarnation, frozenUntil, mayForget: mayForget || wasPromoted }
}
