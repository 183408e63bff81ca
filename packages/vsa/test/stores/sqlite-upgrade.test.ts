import { describe, expect, it } from 'vitest'
import { trialBalance } from '../../src/core/trial-balance.ts'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { openReadOnly } from '../../src/stores/sqlite/inspect.ts'
import { child } from './sqlite-children.ts'
import { applied, batch, closing, entry, newPath } from './sqlite-fixture.ts'

/* Files as earlier versions made them, word for word, with rows of each kind. */

const RESERVATIONS = `
CREATE TABLE reservation (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  made_as TEXT NOT NULL CHECK (made_as IN ('reservation', 'admission')),
  request TEXT NOT NULL,
  on_expire TEXT NOT NULL CHECK (on_expire IN ('return', 'capture')),
  lots TEXT NOT NULL,
  sweep_at INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_sweep ON reservation (sweep_at);
CREATE TABLE reservation_key (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  first_key TEXT NOT NULL,
  PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;`

/** An admission of one unit, which is part of what is used. */
const REMEMBERED = `INSERT INTO reservation VALUES ('seats', 'q', 'admission', '["admission",null,[["seats",0,1]]]', 'return',
  '[{"units":1,"uncovered":0,"state":"final","expiresAt":0,"keepUntil":99999999999999,"sources":[{"key":"seats","period":0,"charged":1,"refunded":null,"resets":0}]}]',
  99999999999999);
`

const tables = (schema: 1 | 2 | 3): string => `
PRAGMA journal_mode = WAL;
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  incarnation TEXT NOT NULL,
  epochs INTEGER NOT NULL,
  time_seen INTEGER NOT NULL${
    schema === 1
      ? ''
      : `,
  leapt_from INTEGER NOT NULL DEFAULT 0,
  leapt_at INTEGER NOT NULL DEFAULT 0,
  leapt_until INTEGER NOT NULL DEFAULT 0,
  pruned_until INTEGER NOT NULL DEFAULT 0`
  }
) STRICT;
INSERT INTO store (id, incarnation, epochs, time_seen) VALUES (1, lower(hex(randomblob(16))), 2, 1000);
CREATE TABLE owner (
  epoch INTEGER PRIMARY KEY,${schema === 1 ? '' : "\n  token TEXT NOT NULL DEFAULT '',"}
  label TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  seq INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  lease_ttl_ms INTEGER NOT NULL,
  process TEXT,
  burning INTEGER NOT NULL
) STRICT;
CREATE INDEX owner_open ON owner (seen_at) WHERE state = 'open';
CREATE INDEX owner_closed ON owner (seen_at) WHERE state = 'closed';
CREATE INDEX owner_burning ON owner (epoch) WHERE burning = 1;
CREATE TABLE budget (
  key TEXT NOT NULL,
  period INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('initial', 'window')),
  minted INTEGER NOT NULL CHECK (minted >= 0),
  used INTEGER NOT NULL CHECK (used >= 0),
  pool INTEGER NOT NULL,
  burned INTEGER NOT NULL CHECK (burned >= 0),
  limit_units INTEGER NOT NULL,
  burn_max INTEGER NOT NULL,
  version INTEGER NOT NULL,
  wanted_until INTEGER NOT NULL,
  ends_at INTEGER,
  keep_until INTEGER,${
    schema < 3
      ? ''
      : `
  reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  resets INTEGER NOT NULL DEFAULT 0,`
  }
  PRIMARY KEY (key, period)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_wanted ON budget (wanted_until) WHERE wanted_until > 0;
CREATE INDEX budget_kept ON budget (keep_until) WHERE keep_until IS NOT NULL;
CREATE TABLE lease (
  key TEXT NOT NULL,
  period INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK (held > 0),
  PRIMARY KEY (key, period, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_epoch ON lease (epoch);
CREATE TABLE mint (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  units INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
${schema < 3 ? '' : RESERVATIONS}
INSERT INTO owner (epoch, label, state, seq, outcome, seen_at, expires_at, lease_ttl_ms, process, burning)
VALUES (1, 'old', 'closed', 1, '{"granted":[3],"notes":{},"written":{"records":1,"leaseRecords":0}}', 1000, 2000, 1000, NULL, 1);
INSERT INTO budget VALUES ('seats', 0, 'initial', 9, 3, 2, 0, 4, 4, 1, 0, NULL, NULL${schema < 3 ? '' : ', 0, 0'});
INSERT INTO budget VALUES ('w', 500, 'window', 5, 5, 0, 0, 5, 5, 1, 0, 2000, 99999999999999${schema < 3 ? '' : ', 0, 0'});
INSERT INTO lease VALUES ('seats', 0, 1, 4);
${schema < 3 ? '' : REMEMBERED}INSERT INTO mint VALUES ('seats', 'm', 5);
INSERT INTO counter VALUES ('c', 7);
PRAGMA application_id = 1987273009;
PRAGMA user_version = ${schema};
`

async function oldFile(schema: 1 | 2 | 3): Promise<string> {
  const path = newPath()
  const connection = (await loadDriver('libsql')).open(path)
  connection.exec(tables(schema))
  connection.close()
  return path
}

/** Every table and index with its columns, without the text that made it. */
async function schemaOf(path: string): Promise<unknown> {
  const connection = (await loadDriver('libsql')).open(path)
  const columns = connection
    .prepare(
      `SELECT m.type, m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
       UNION ALL SELECT m.type, m.name, c.name, c.seqno, 0, 0 FROM sqlite_schema m JOIN pragma_index_info(m.name) c ORDER BY 2, 3`,
    )
    .all([])
  const version = connection.prepare('PRAGMA user_version').get([])
  connection.close()
  return { columns, version }
}

describe.each([1, 2, 3] as const)('a file of schema %d', (schema) => {
  it('L2: is inspected as it is, and not changed', async () => {
    const path = await oldFile(schema)
    const before = await schemaOf(path)
    const inspection = await openReadOnly(path, { driver: 'libsql' })
    expect(inspection.owners()).toMatchObject([{ epoch: 1, token: '', seq: 1, state: 'closed' }])
    const seats = { used: 3, pool: 2, reserved: 0, resets: 0 }
    expect(inspection.list({ limit: 9 }).rows).toMatchObject([{ budget: seats, leases: [{ held: 4 }] }, {}])
    expect(inspection.list({ key: 'seats', limit: 9 }).rows).toMatchObject([{ budget: seats }])
    expect(inspection.reservations({ limit: 9 })).toMatchObject({
      rows: schema < 3 ? [] : [{ id: 'q' }],
      unreadable: [],
    })
    expect([inspection.textDamage(), inspection.integrity()]).toEqual([[], []])
    inspection.close()
    expect(await schemaOf(path)).toEqual(before)
  })

  it('L2, S2: is upgraded by the next join, by several at once as well, with all its rows', async () => {
    const path = await oldFile(schema)
    const stores = Array.from({ length: 4 }, () => closing(sqlite(path, { thread: false, driver: 'libsql' })))
    const owners = await Promise.all(stores.map((store) => store.join('new')))
    expect(owners.map(({ epoch }) => epoch).toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6])
    const [store, owner] = [stores[0], owners[0]]
    if (store === undefined || owner === undefined) throw new Error('there is a store')
    for (const row of (await store.list({ limit: 9 })).rows) expect(trialBalance(row).faults).toEqual([])
    const known = entry({ known: true, mint: { id: 'm', units: 5 } })
    const remember = { id: 'r', as: 'reservation', ttlMs: 1_000, onExpire: 'return' } as const
    const takes = [{ need: [[0, 1]] as const, n: 1, remember }]
    const entries = [known, { kind: 'counter', key: 'c', add: 0 } as const]
    expect(applied(await store.exchange(batch(owner, 1, { entries, takes })))).toMatchObject({
      granted: [1],
      entries: [{ minted: 9, used: 3, burned: 4, reserved: 1, pool: 1, mint: 'repeated' }, { value: 7 }],
    })
    if (schema < 3) return
    const changes = [{ op: 'refund', key: 'seats', id: 'q', units: 1 } as const]
    const given = applied(await store.exchange(batch(owner, 2, { changes })))
    expect(given.credits?.changes).toEqual([{ kind: 'refunded', units: 1, repeated: false }])
  })

  it('has afterwards the tables of a new file', async () => {
    const [path, fresh] = [await oldFile(schema), newPath()]
    for (const file of [path, fresh]) {
      const store = sqlite(file, { thread: false, driver: 'libsql' })
      await store.join('a')
      await store.close()
    }
    const [upgraded, made] = [await schemaOf(path), await schemaOf(fresh)]
    expect(upgraded).toEqual(made)
  })

  it('S1: many processes may open it at once', async () => {
    const path = await oldFile(schema)
    const source = `
      const store = sqlite(path, { thread: false })
      const { epoch } = await store.join('child')
      await store.close()
      console.log(epoch)`
    const children = Array.from({ length: 4 }, (_, at) => child(path, `${source}\n// ${at}`))
    const epochs = await Promise.all(children.map((one) => one.line()))
    expect(epochs.map(Number).toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6])
    expect(await Promise.all(children.map((one) => one.ended))).toEqual([0, 0, 0, 0])
    const inspection = await openReadOnly(path)
    for (const row of inspection.list({ limit: 9 }).rows) expect(trialBalance(row).faults).toEqual([])
    inspection.close()
  })
})
