import type { Redis } from 'ioredis'

/* A store of schema 2 as it was written before there were deletions, word for word: two budgets `a` and one `ab`, a lease, mints, reservations of both keys. */

/** What its owner joined with. */
export const OLD_JOINED = { epoch: 1, token: '67e0ffcd-c7ae-4d27-a82d-65c1eee44ffb', incarnation: 'old' } as const
/** Store time of its last exchange, ms since 1970. Its lease ends 10 s after. */
export const OLD_TIME = 1_795_808_124_086

const OWNER =
  '000000000000f03f00000000000000400060cb15e8217a4200603c18e8217a42000000000088c3400000000000004240' +
  Buffer.from(OLD_JOINED.token).toString('hex')
const OUTCOME =
  '{"granted":[1,1,1],"notes":{},"credits":{"takes":{"0":{"kind":"remembered","state":"open","charged":[2,3],"units":5,"expiresAt":1795811724086,"repeated":false},"1":{"kind":"remembered","state":"final","charged":[4],"units":4,"expiresAt":0,"repeated":false},"2":{"kind":"remembered","state":"open","charged":[1,1],"units":2,"expiresAt":1795811724086,"repeated":false}},"changes":[]},"written":{"records":5,"leaseRecords":0}}'

const ROWS = {
  '7:a':
    '000000000000000000000000004059400000000000000000000000000040594000000000000000000000000000000000000000000000000000000000000059400000000000004440000000000000f03f000000000000000000000000000040c300000000000040c300000000000000000000000000000000',
  '0:a':
    '00000000000000000000000000405a400000000000000000000000000000574000000000000000000000000000002440000000000000f03f00000000000059400000000000004440000000000000f03f000000000000000000000000000040c300000000000040c300000000000008400000000000000000',
  '0:ab':
    '00000000000000000000000000405a400000000000001040000000000040584000000000000000000000000000000000000000000000000000000000000059400000000000004440000000000000f03f000000000000000000000000000040c300000000000040c300000000000010400000000000000000',
}
const INDEX = ['a\x0010000000000000000', 'a\x0010000000000000007', 'ab\x0010000000000000000']
const MINTS = { '["a","order 1"]': '5', '["a","order 2"]': '1', '["ab","order 1"]': '5' }
const RESERVATIONS = {
  '["a","r"]': String.raw`{"as":"reservation","request":"[\"reservation\",\"all\",[[\"b\",\"a\",2],[\"b\",\"ab\",3]]]","onExpire":"return","rows":["0:a","0:ab"],"counters":[],"lots":"[{\"units\":2,\"uncovered\":0,\"state\":\"open\",\"expiresAt\":1795811724086,\"keepUntil\":null,\"sources\":[{\"key\":\"a\",\"period\":0,\"charged\":2,\"refunded\":null,\"resets\":0}]},{\"units\":3,\"uncovered\":0,\"state\":\"open\",\"expiresAt\":1795811724086,\"keepUntil\":null,\"sources\":[{\"key\":\"ab\",\"period\":0,\"charged\":3,\"refunded\":null,\"resets\":0}]}]"}`,
  '["ab","d"]': String.raw`{"as":"admission","request":"[\"admission\",\"all\",[[\"b\",\"ab\",4]]]","onExpire":"return","rows":["0:ab"],"counters":[],"lots":"[{\"units\":4,\"uncovered\":0,\"state\":\"final\",\"expiresAt\":0,\"keepUntil\":1796412924086,\"sources\":[{\"key\":\"ab\",\"period\":0,\"charged\":4,\"refunded\":null,\"resets\":0}]}]"}`,
  '["ab","x"]': String.raw`{"as":"reservation","request":"[\"reservation\",\"all\",[[\"b\",\"ab\",1],[\"b\",\"a\",1]]]","onExpire":"return","rows":["0:ab","0:a"],"counters":[],"lots":"[{\"units\":1,\"uncovered\":0,\"state\":\"open\",\"expiresAt\":1795811724086,\"keepUntil\":null,\"sources\":[{\"key\":\"ab\",\"period\":0,\"charged\":1,\"refunded\":null,\"resets\":0}]},{\"units\":1,\"uncovered\":0,\"state\":\"open\",\"expiresAt\":1795811724086,\"keepUntil\":null,\"sources\":[{\"key\":\"a\",\"period\":0,\"charged\":1,\"refunded\":null,\"resets\":0}]}]"}`,
  '["ab","r"]': '=["a","r"]',
  '["a","x"]': '=["ab","x"]',
}
const SWEEPS = { '["a","r"]': 1_795_811_724_086, '["ab","x"]': 1_795_811_724_086, '["ab","d"]': 1_796_412_924_086 }
const STORE = {
  ...{ schema: '2', gen: 'old', run: 'x', epochs: '1', seen: String(OLD_TIME), prunes: '0', versions: '0' },
  ...{ rows: '3', mints: '3', counters: '0', reservations: '3', names: '5', incarnation: 'old', frozen: '0' },
}

/** @param key of the store, by its name */
export async function writeOldStore(client: Redis, key: (name: string) => string): Promise<void> {
  await client.hset(key('s'), STORE)
  await client.hset(key('o'), '1', Buffer.concat([Buffer.from(OWNER, 'hex'), Buffer.from(OUTCOME)]))
  await client.hset(key('n'), '1', 'old')
  await client.zadd(key('x'), OLD_TIME + 10_000, '1')
  for (const [field, hex] of Object.entries(ROWS)) await client.hset(key('b'), field, Buffer.from(hex, 'hex'))
  for (const member of INDEX) await client.zadd(key('i'), 0, member)
  await client.hset(key('l:1'), '0:a', '10')
  await client.hset(key('m'), MINTS)
  await client.hset(key('r'), RESERVATIONS)
  for (const [field, at] of Object.entries(SWEEPS)) await client.zadd(key('t'), at, field)
}
