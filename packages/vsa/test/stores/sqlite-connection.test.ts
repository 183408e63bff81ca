import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/core/errors.ts'
import { abandon, adapt, begin, type ClientStatement, rollBack } from '../../src/stores/sqlite/client/connection.ts'

/* Stand-ins for the clients: how each of them is called, and what is made of its answers. */

/** From here on a number is bound as a BigInt. */
const WIDE = 2 ** 50

interface Calls {
  readonly said: string[]
  readonly connection: ReturnType<typeof adapt>
}

/** A connection that fails at these statements. */
function calls(...failing: string[]): Calls {
  const said: string[] = []
  const say = (text: string): void => {
    said.push(text)
    if (failing.includes(text)) throw new Error(`no ${text}`)
  }
  const prepare = (): never => {
    throw new Error('not reached')
  }
  return { said, connection: adapt({ exec: say, prepare, close: () => say('close') }) }
}

const READ = 'BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1'

describe('a transaction', () => {
  it.each([
    ['read', READ, [READ, 'ROLLBACK']],
    ['write', 'BEGIN IMMEDIATE', ['BEGIN IMMEDIATE']],
  ] as const)('of kind %s that does not begin leaves none open', (kind, sql, said) => {
    const failed = calls(sql)
    expect(() => begin(failed.connection, kind)).toThrow(`no ${sql}`)
    expect(failed.said).toEqual(said)
    const good = calls()
    begin(good.connection, kind)
    expect(good.said).toEqual([sql])
  })

  it('that SQLite does not roll back is reported, and does not keep a connection from being closed', () => {
    expect(rollBack(calls().connection)).toBe(true)
    for (const failing of [[], ['ROLLBACK'], ['close'], ['ROLLBACK', 'close']]) {
      const { said, connection } = calls(...failing)
      expect(rollBack(connection)).toBe(!failing.includes('ROLLBACK'))
      abandon(connection)
      expect(said).toEqual(['ROLLBACK', 'ROLLBACK', 'close'])
    }
  })
})

/** A statement that keeps what is bound. libsql and better-sqlite3 get one list, node:sqlite each value. */
function statement(rest: Partial<ClientStatement> = {}): { bound: unknown[][]; adapted: ReturnType<typeof prepared> } {
  const bound: unknown[][] = []
  const keep = (...values: unknown[]): void => void bound.push(values)
  const client: ClientStatement = {
    run: keep,
    get: (...values) => {
      keep(...values)
      return [1, 'a']
    },
    all: (...values) => {
      keep(...values)
      return [[1], { b: 2, c: 3 }]
    },
    ...rest,
  }
  return { bound, adapted: prepared(client) }
}

function prepared(client: ClientStatement): ReturnType<ReturnType<typeof adapt>['prepare']> {
  return adapt({ exec: () => undefined, prepare: () => client, close: () => undefined }).prepare('SELECT')
}

describe('a statement', () => {
  it.each([
    ['libsql', () => ({ raw: () => undefined }), [['a', 1]]],
    ['node:sqlite', () => ({ setReturnArrays: () => undefined }), ['a', 1]],
    ['node:sqlite before 22.16', () => ({}), ['a', 1]],
  ])('of %s gets its values, and gives rows as lists', (_, rest, values) => {
    const { bound, adapted } = statement(rest())
    adapted.run(['a', 1])
    expect(adapted.get(['a', 1])).toEqual([1, 'a'])
    expect(adapted.all(['a', 1])).toEqual([[1], [2, 3]])
    expect(bound).toEqual([values, values, values])
  })

  it.each([true, false])('is asked for rows as lists where the client can: it has rows, %s', (reader) => {
    const asked: unknown[] = []
    statement({ reader, raw: (on) => asked.push(on) })
    statement({ setReturnArrays: (on) => asked.push(on) })
    expect(asked).toEqual(reader ? [true, true] : [true])
  })

  it.each([
    [WIDE - 1, WIDE - 1],
    [WIDE, BigInt(WIDE)],
    [1 - WIDE, 1 - WIDE],
    [-WIDE, BigInt(-WIDE)],
    [-Number.MAX_SAFE_INTEGER, BigInt(-Number.MAX_SAFE_INTEGER)],
  ])('binds %d as an integer of SQLite, whatever stands beside it', (value, bound) => {
    for (const rest of [{}, { raw: () => undefined }]) {
      const found = statement(rest)
      found.adapted.run([value, 'a', null, 7])
      expect(found.bound.flat(2)).toEqual([bound, 'a', null, 7])
    }
  })

  it.each([0.5, 2 ** 53, NaN, -Infinity])('refuses %d, which could not be read back', (value) => {
    const { bound, adapted } = statement()
    for (const call of [adapted.run, adapted.get, adapted.all]) expect(() => call([value])).toThrow(InvariantError)
    expect(bound).toEqual([])
  })

  it('that finds no row says so', () => {
    for (const none of [undefined, null]) {
      expect(statement({ get: () => none }).adapted.get([])).toBeUndefined()
      expect(statement({ get: () => none, raw: () => undefined }).adapted.get([])).toBeUndefined()
    }
    expect(() => statement({ get: () => 7 }).adapted.get([])).toThrow('returned a row that is no row')
  })

  it('S6: an integer that a number cannot hold is damage; other errors stay as they are', () => {
    const failing = (error: Error) => {
      const fails = (): never => {
        throw error
      }
      const { adapted } = statement({ get: fails, all: fails })
      return [() => adapted.get([]), () => adapted.all([])]
    }
    const range = Object.assign(new RangeError('Value is too large'), { code: 'ERR_OUT_OF_RANGE' })
    for (const call of failing(range)) expect(call).toThrow(InvariantError)
    for (const other of [new RangeError('x'), Object.assign(new Error('x'), { code: 'ERR_OUT_OF_RANGE' })])
      for (const call of failing(other)) expect(call).toThrow(other)
  })
})
