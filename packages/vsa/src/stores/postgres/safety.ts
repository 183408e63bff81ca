import { unsafe } from './errors.ts'
import { nameLiteral, textLiteral } from './literals.ts'
import type { PostgresPool } from './pool.ts'
import { answerOf } from './transaction.ts'

/** What was read of a server, over a connection of the pool: settings of the role count. */
export interface ServerFacts {
  /** As in 150020. */
  readonly version: number
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
  readonly synchronousStandbyNames: string
  readonly isStandby: boolean
  /** One that gets the log of this server is connected: a standby, or a program that goes on copying the log. A backup that is being made does not count. */
  readonly hasStandby: boolean
  /** Tables of the schema that a crash empties. */
  readonly unlogged: readonly string[]
  readonly hasStore: boolean
}

/** What a server may do with acknowledged writes. */
export interface Safety {
  /** What would be lost, and when; empty for a server that loses nothing. */
  readonly risks: readonly string[]
  /** A failover may lose what was acknowledged (F3). */
  readonly mayForget: boolean
}

export interface SafetySettings {
  readonly leaseTtlMs: number
  /** The user's word for it; undefined: as it is read. */
  readonly mayForget: boolean | undefined
}

/** The oldest version. */
const VERSION_MIN = 13

/** @throws StoreError `store_unsafe` for a server that would break L1; also the errors of the connection */
export async function readServer(pool: PostgresPool, schema: string): Promise<ServerFacts> {
  const facts = await readFacts(pool, schema)
  const refusal = refusalOf(facts)
  if (refusal !== undefined) throw unsafe(schema, refusal)
  return facts
}

/** Refuses nothing: for owners that have joined, who go on. @throws the errors of the connection */
export async function readFacts(pool: PostgresPool, schema: string): Promise<ServerFacts> {
  // The statement makes such an object.
  return (await answerOf(pool, schema, serverState(schema))) as ServerFacts
}

function serverState(schema: string): string {
  const ofSchema = `from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${textLiteral(schema)}`
  return `select json_build_object('version', current_setting('server_version_num')::int, 'fsync', current_setting('fsync'),
    'fullPageWrites', current_setting('full_page_writes'), 'synchronousCommit', current_setting('synchronous_commit'),
    'synchronousStandbyNames', current_setting('synchronous_standby_names'),
    'isStandby', pg_is_in_recovery(), 'hasStandby', exists (select from pg_stat_replication where application_name is distinct from 'pg_basebackup'),
    'unlogged', coalesce((select json_agg(c.relname order by c.relname) ${ofSchema} and c.relkind = 'r' and c.relpersistence = 'u'), '[]'),
    'hasStore', to_regclass(${textLiteral(`${nameLiteral(schema)}.store`)}) is not null)::text answer`
}

/** What must never be used, with the remedy. */
export function refusalOf({ version, fsync, isStandby, unlogged }: ServerFacts): string | undefined {
  if (version < VERSION_MIN * 10_000)
    return `Postgres ${VERSION_MIN} or newer is needed, this is ${Math.floor(version / 10_000)}`
  if (isStandby) return 'the server is a standby, which cannot be written: connect to the primary'
  if (fsync !== 'on')
    return 'the server runs with fsync=off: a crash would lose admissions. Set fsync=on and restart it'
  const [table] = unlogged
  if (table !== undefined)
    return `table ${table} is unlogged: a crash empties it, and its units would be there again. Run ALTER TABLE … SET LOGGED for each: ${unlogged.join(', ')}`
  return undefined
}

/** What may be lost although it was acknowledged. */
export function safetyOf(facts: ServerFacts, { leaseTtlMs, mayForget }: SafetySettings): Safety {
  // The user knows which standby is promoted, and when.
  const failover = mayForget === false ? [] : failoverRisks(facts, leaseTtlMs)
  const torn =
    facts.fullPageWrites === 'on'
      ? []
      : [
          'full_page_writes is off: a crash of the machine may damage rows, unless its disks write each page whole or not at all. Set full_page_writes on',
        ]
  return { risks: [...failover, ...torn], mayForget: mayForget ?? failover.length > 0 }
}

/** A commit of this role returns before a standby has it. `off` does not count: the store sets `on` for its transactions (S7). */
function failoverRisks(
  { synchronousCommit, synchronousStandbyNames, hasStandby }: ServerFacts,
  leaseTtlMs: number,
): readonly string[] {
  // F11
  const cutOff = `A primary that is cut off must be stopped in less than the lease lifetime, ${leaseTtlMs} ms, or it grants beside its successor`
  if (synchronousStandbyNames === '') {
    if (!hasStandby) return []
    return [
      'a standby is connected and synchronous_standby_names is empty: a failover loses what the standby had not received yet. Set synchronous_standby_names',
      cutOff,
    ]
  }
  if (synchronousCommit === 'local')
    return [
      'synchronous_commit of this role is local: no commit waits for a standby, so a failover loses what it had not received yet. Set synchronous_commit on',
      cutOff,
    ]
  if (synchronousCommit !== 'remote_write') return []
  return [
    'synchronous_commit of this role is remote_write: a failover to a standby whose machine has crashed loses what was not on its disk yet. Set synchronous_commit on',
  ]
}

/** One text for all risks. */
export function warningOf(schema: string, { risks }: Safety): string {
  return `vsa: the Postgres store ${schema} may lose spending that was acknowledged, and admit it again. ${risks.join('. ')}. strict: true refuses such a server.`
}

/** @throws StoreError `store_unsafe` */
export function refuseRisks(schema: string, { risks }: Safety): void {
  if (risks.length > 0) throw unsafe(schema, `strict: true refuses it. ${risks.join('. ')}`)
}
