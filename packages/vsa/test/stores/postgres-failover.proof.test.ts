import { describe, it, onTestFinished } from 'vitest'
import { type PostgresServer, postgresServer, type ServerSettings } from '../../../../servers/src/postgres.ts'
import { failOver, type Pair } from './failover-fixture.ts'
import { newSchema, poolOn, storeOn, until } from './postgres-fixture.ts'
import { proxyTo } from './tcp-proxy.ts'

/** A primary and its standby, for which no commit waits; the test is skipped where there is no Postgres. */
async function pair(skip: (reason: string) => void): Promise<Pair> {
  const primary = await serverFor(skip, {})
  const wire = await proxyTo(primary.url)
  const standby = await serverFor(skip, { standbyOf: wire.url })
  const pools = { primary: poolOn(primary.url), standby: poolOn(standby.url) }
  const schema = newSchema()
  let current = pools.primary
  await until(pools.primary, 'exists (select from pg_stat_replication where replay_lsn is not null)')
  return {
    store: (leaseTtlMs) => storeOn({ connect: () => current.connect() }, { schema, leaseTtlMs, upkeepEveryMs: 100 }),
    synced: () => until(pools.primary, '(select replay_lsn >= pg_current_wal_lsn() from pg_stat_replication)'),
    cutOff: () => wire.close(),
    promote: async () => {
      await primary.crash?.()
      await pools.standby.query('select pg_promote()')
      current = pools.standby
    },
  }
}

async function serverFor(skip: (reason: string) => void, settings: ServerSettings): Promise<PostgresServer> {
  const server = await postgresServer(settings)
  if ('reason' in server) return skip(server.reason) as never
  onTestFinished(() => server.stop())
  return server
}

describe('a standby that was cut off is promoted, without the last writes', () => {
  it.for([true, false])(
    'F3 to F5, L1: no unit is admitted twice, and each one is admitted or burned; durable: %s',
    async (isDurable, { skip }) => failOver(await pair(skip), isDurable),
  )
})
