import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { Answer, AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { postgresServer, type PostgresServer } from '../../../../servers/src/postgres.ts'
import { rounds } from '../rounds.ts'
import { newSchema, poolOn, reservedBy, storeOn } from './postgres-fixture.ts'
import { type Child, childIn } from './sqlite-children.ts'
import { batch, entry, initial } from './sqlite-fixture.ts'

/* Reservations outlive what made them (L4, R1): a process that is killed or stopped between reserve and settle, and a server that is killed. */

const LIMIT = 1_000_000
const UNITS = 3
const policy = { ...initial, limit: LIMIT }
const NAME = { key: 'seats', period: 0 }

/** A server for one test; the test is skipped where there is none. */
async function serverFor(skip: (reason: string) => void): Promise<PostgresServer> {
  const server = await postgresServer({})
  if ('reason' in server) return skip(server.reason) as never
  onTestFinished(() => server.stop())
  return server
}

/** Sends the same batch until its outcome is certain (O2). */
async function certain(store: Store, sent: Batch): Promise<Answer> {
  for (;;) {
    try {
      return await store.exchange(sent)
    } catch (error) {
      if (!(error instanceof StoreError) || !error.transient) throw error
    }
  }
}

async function applied(store: Store, sent: Batch): Promise<AppliedAnswer> {
  const answer = await certain(store, sent)
  if (answer.kind !== 'applied' && answer.kind !== 'replayed') throw new Error(`got ${JSON.stringify(answer)}`)
  return answer
}

function reserve(joined: Joined, seq: number, id: string): Batch {
  const remember = { id, as: 'reservation', ttlMs: 3_600_000, onExpire: 'return' } as const
  return batch(joined, seq, { entries: [entry({ policy })], takes: [{ need: [[0, UNITS]], n: 1, remember }] })
}

/** Settles ids, all of them, and checks that the books are what was answered. */
async function settled(
  store: Store,
  schema: string,
  url: string,
  ids: readonly string[],
): Promise<(string | number)[]> {
  const joined = await store.join('settles')
  const changes = ids.map((id) => ({ op: 'settle', key: NAME.key, id, units: 2 }) as const)
  const { credits } = await applied(store, batch(joined, 1, { changes }))
  const answers = (credits?.changes ?? []).map((change) => (change.kind === 'settled' ? change.settled : change.kind))
  const used = answers.reduce<number>((sum, units) => sum + (typeof units === 'number' ? units : 0), 0)
  expect(await store.read([NAME])).toMatchObject([{ minted: LIMIT, used, reserved: 0, pool: LIMIT - used }])
  const { rows } = await poolOn(url).query(`select * from (${reservedBy(schema)}) r where charged > 0`)
  expect(rows).toEqual([])
  return answers
}

/** A process that reserves under one id after another, and prints each id before it sends it and after its answer. */
function reserver(url: string, schema: string, stopsAt: number): Child {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-reserver-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const built = new URL('../../dist/stores/postgres/index.js', import.meta.url).href
  const pg = new URL('../../../../node_modules/pg/lib/index.js', import.meta.url).href
  return childIn(
    folder,
    `import { postgres } from ${JSON.stringify(built)}
import pg from ${JSON.stringify(pg)}
const pool = new pg.Pool({ connectionString: ${JSON.stringify(url)}, max: 2 })
pool.on('error', () => undefined)
pool.on('connect', (client) => client.on('error', () => undefined))
let saves = 0
const connect = async () => {
  const client = await pool.connect()
  const query = async (text) => {
    if (text.endsWith('\\ncommit') && (saves += 1) === ${stopsAt}) {
      const goesOn = new Promise((resolve) => process.once('SIGCONT', resolve))
      console.log('loaded')
      await goesOn
    }
    return client.query(text)
  }
  return { query, release: (destroy) => client.release(destroy) }
}
const store = postgres({ connect }, { schema: ${JSON.stringify(schema)}, leaseTtlMs: 600_000, upkeepEveryMs: 3_600_000 })
const joined = await store.join('reserves')
const policy = ${JSON.stringify(policy)}
for (let seq = 1; ; seq += 1) {
  const id = joined.epoch + ' ' + seq
  const entries = [{ kind: 'budget', key: 'seats', period: 0, known: false, policy, spent: 0, refund: 0, hold: 0, wantMs: 0 }]
  const remember = { id, as: 'reservation', ttlMs: 3_600_000, onExpire: 'return' }
  const { epoch, token, incarnation } = joined
  const batch = { epoch, token, incarnation, seq, entries, takes: [{ need: [[0, ${UNITS}]], n: 1, remember }], close: false }
  console.log('sent ' + id)
  for (;;) {
    try {
      const { granted, credits } = await store.exchange(batch)
      console.log('got ' + id + ' ' + credits.takes[0].charged[0] + ' ' + granted[0])
      break
    } catch (error) {
      if (!error.transient) throw error
    }
  }
}`,
  )
}

/** Reads lines until one fits; undefined at the end of the process. */
async function until(
  child: Child,
  fits: (line: string) => boolean,
  each: (line: string) => void,
): Promise<string | undefined> {
  for (;;) {
    const line = await child.line()
    if (line === undefined) return undefined
    each(line)
    if (fits(line)) return line
  }
}

describe('reservations on Postgres between reserve and settle', () => {
  it('R1, R4, L4: of processes that are killed, every reservation that was answered can be settled, and no other units are reserved', async ({
    skip,
  }) => {
    const { url } = await serverFor(skip)
    const schema = newSchema()
    const random = seededRandom(1)
    const store = storeOn(poolOn(url), { schema, leaseTtlMs: 600_000 })
    const [sent, got] = [new Set<string>(), new Set<string>()]
    const noted = (line: string): void => {
      const [, what, id = ''] = /^(sent|got) (\d+ \d+)/.exec(line) ?? []
      if (what === 'sent') sent.add(id)
      if (what === 'got') got.add(id)
    }
    for (let kill = 0; kill < 4 * rounds(1); kill += 1) {
      const children = [reserver(url, schema, 0), reserver(url, schema, 0)]
      await Promise.all(
        children.map(async (child) => {
          let left = wholeBetween(random, 1, 40)
          await until(child, () => (left -= 1) <= 0, noted)
          child.process.kill('SIGKILL')
          await until(child, () => false, noted)
        }),
      )
    }
    const open = [...sent].filter((id) => !got.has(id))
    const answers = await settled(store, schema, url, [...got, ...open])
    expect(answers.slice(0, got.size)).toEqual([...got].map(() => 2))
    // The server may have committed what the process was not answered any more.
    expect(answers.slice(got.size).filter((answer) => answer !== 2 && answer !== 'unknown')).toEqual([])
    expect(got.size).toBeGreaterThan(0)
  })

  it('R1, R7: a process that is stopped before its commit holds the id for a bounded time; once it goes on, it is answered what another one got', async ({
    skip,
  }) => {
    const { url } = await serverFor(skip)
    const schema = newSchema()
    const store = storeOn(poolOn(url), { schema, leaseTtlMs: 600_000 })
    const joined = await store.join('another')
    // The first save is that of the join.
    const child = reserver(url, schema, 2)
    const lines: string[] = []
    await until(
      child,
      (line) => line === 'loaded',
      (line) => lines.push(line),
    )
    child.process.kill('SIGSTOP')
    const id = lines.flatMap((line) => /^sent (.+)/.exec(line)?.[1] ?? []).at(-1) ?? ''
    const { granted, credits } = await applied(store, reserve(joined, 1, id))
    expect([granted, credits?.takes[0]]).toMatchObject([[1], { state: 'open', charged: [UNITS], repeated: false }])
    child.process.kill('SIGCONT')
    expect(
      await until(
        child,
        (line) => line.startsWith('got'),
        (line) => lines.push(line),
      ),
    ).toBe(`got ${id} ${UNITS} 0`)
    child.process.kill('SIGKILL')
    await until(
      child,
      () => false,
      (line) => lines.push(line),
    )
    const others = lines.flatMap((line) => /^sent (.+)/.exec(line)?.[1] ?? []).filter((one) => one !== id)
    const answers = await settled(store, schema, url, [id, ...others])
    expect(answers[0]).toBe(2)
  })

  it.each([true, false])(
    'R1, R4, L1: a server that is killed between reserve and settle keeps both (fast path: %s)',
    async (fastPath) => {
      const server = await serverFor((reason) => expect.fail(reason))
      const { url } = server
      const schema = newSchema()
      const random = seededRandom(2)
      const store = storeOn(poolOn(url, { connectionTimeoutMillis: 2_000 }), { schema, fastPath, leaseTtlMs: 600_000 })
      const joined = await store.join('test')
      let [seq, used] = [0, 0]
      for (let crash = 0; crash < 3 * rounds(1); crash += 1) {
        const until = seq + 2 * wholeBetween(random, 5, 25)
        let restarted: Promise<void> | undefined
        while (restarted === undefined || seq < until + 10) {
          if (seq >= until) restarted ??= Promise.resolve(server.crash?.()).then(() => server.start?.())
          const id = `id ${seq}`
          const made = await applied(store, reserve(joined, (seq += 1), id))
          expect(made.credits?.takes[0]).toMatchObject({ charged: [UNITS], repeated: false })
          expect(made.entries).toMatchObject([{ used, reserved: UNITS }])
          const change = { op: 'settle', key: NAME.key, id, units: wholeBetween(random, 0, 5) } as const
          const done = await applied(store, batch(joined, (seq += 1), { changes: [change] }))
          expect(done.credits?.changes).toEqual([
            { kind: 'settled', settled: change.units, uncovered: 0, repeated: false },
          ])
          used += change.units
          expect((await store.read([NAME]).catch(() => []))[0] ?? { used }).toMatchObject({ used })
        }
        await restarted
      }
      expect(await store.read([NAME])).toMatchObject([{ used, reserved: 0, pool: LIMIT - used }])
    },
  )
})
