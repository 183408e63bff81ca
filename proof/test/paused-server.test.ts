import { spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { DURABLE, postgresServer, redisServer, type PostgresServer, type RedisServer } from 'vsa-servers'

/* What chaos does to a server must happen: a pause that stops nothing would show nothing. */

const postgres = await postgresServer({})
const redis = await redisServer(DURABLE)

afterAll(async () => {
  for (const server of [postgres, redis]) if (!('reason' in server)) await server.stop()
})

describe.skipIf('reason' in postgres)('Postgres', () => {
  test('a paused server answers nothing, on open connections too, and then what it was asked', async () => {
    const { url, pause } = postgres as PostgresServer
    const pool = new Pool({ connectionString: url, max: 1 })
    const backend = await pool.query<{ pid: number }>('select pg_backend_pid() pid')
    const begun = await pause?.()
    const asked = pool.query<{ one: number }>('select 1 one')
    await expectStopped(backend.rows[0]?.pid ?? 0).finally(() => begun?.resume())
    expect((await asked).rows).toEqual([{ one: 1 }])
    await pool.end()
  })
})

describe.skipIf('reason' in redis)('Redis', () => {
  test('a paused server answers nothing, and then what it was asked', async () => {
    const { url, pause } = redis as RedisServer
    const client = new Redis(url)
    const [, pid = '0'] = /^process_id:(\d+)/m.exec(await client.info('server')) ?? []
    const begun = await pause?.()
    const asked = client.ping()
    await expectStopped(Number(pid)).finally(() => begun?.resume())
    expect(await asked).toBe('PONG')
    client.disconnect()
  })
})

/** A process on a busy machine stops when it is next scheduled. */
async function expectStopped(pid: number): Promise<void> {
  await expect.poll(() => stateOf(pid), { timeout: 30_000 }).toMatch(/^T/)
}

/** Begins with T while the process is stopped. */
function stateOf(pid: number): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
}
