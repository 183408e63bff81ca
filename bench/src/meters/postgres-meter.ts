import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Meter } from './meter.ts'
import { treeCpuMs } from './process-tree.ts'

/**
 * Statements of one role, by `pg_stat_statements`, and rows written in its tables: each contender logs in as one of its own. Bytes and syncs of the log are those of the whole server,
 * which does nothing else meanwhile.
 * @param report makes the connections of the contender tell their counts
 */
export async function postgresMeter(url: string, role: string, report: () => Promise<void>): Promise<Meter> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const pid = await postmasterOf(client)
  const text = `select (select coalesce(sum(calls), 0) from pg_stat_statements s where ${OWN}) calls,
(select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables t join pg_class c on c.oid = t.relid
where c.relowner = (select oid from pg_roles where rolname = $1)) "rows",
pg_current_wal_insert_lsn() - '0/0' bytes, (select wal_sync from pg_stat_wal) syncs`
  return {
    read: async () => {
      await report()
      await client.query('select pg_stat_force_next_flush()')
      const { rows } = await client.query<Record<string, string>>({ name: 'counts', text, values: [role] })
      const [row] = rows
      return {
        calls: Number(row?.['calls']),
        rows: Number(row?.['rows']),
        bytesWritten: Number(row?.['bytes']),
        syncs: Number(row?.['syncs']),
        serverCpuMs: pid === null ? null : treeCpuMs(pid),
        isWholeServer: true,
      }
    },
    end: () => client.end(),
  }
}

const OWN = `s.userid = (select oid from pg_roles where rolname = $1) and s.query not like '%pg_stat_force_next_flush%'`

async function postmasterOf(client: Client): Promise<number | null> {
  const { rows } = await client.query<{ folder: string }>(
    `select setting folder from pg_settings where name = 'data_directory'`,
  )
  try {
    return Number.parseInt(readFileSync(join(rows[0]?.folder ?? '', 'postmaster.pid'), 'utf8'), 10)
  } catch {
    return null
  }
}
