import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import type { UserTransaction } from '../../src/core/intent-writer.ts'
import { fromDrizzle, fromPg } from '../../src/stores/postgres/index.ts'

/* T1, without a server: a client of pg that knows its status, as it does, is asked before each statement. With one: postgres-user-transactions.proof.test.ts. */

/** A client of pg that counts what is sent. `status`: as `getTransactionStatus` of pg answers; undefined for a pg without it. */
function clientOf(status: (() => string | null) | undefined) {
  const sent: string[] = []
  const query = async (text: string): Promise<void> => void sent.push(text)
  return { sent, client: { query, ...(status !== undefined && { getTransactionStatus: status }) } }
}

/** The same client, as Drizzle has it inside its transaction. */
function drizzleOver(client: ReturnType<typeof clientOf>['client']): UserTransaction {
  const execute = async (): Promise<void> => client.query('insert')
  return fromDrizzle({ execute, rollback: () => failed('rolled back'), _: { session: { client } } }, sql)
}

function failed(message: string): never {
  throw new TypeError(message)
}

describe.each([
  ['pg', fromPg],
  ['Drizzle on pg', drizzleOver],
] as const)('%s', (_, from) => {
  test('T1: nothing is sent on a connection that is in no transaction', async () => {
    let status = 'I'
    const { sent, client } = clientOf(() => status)
    const db = from(client)
    await expect(db.executeSql('insert', [])).rejects.toThrow(TypeError)
    await expect(db.executeSql('insert', [])).rejects.toThrow(/is in no transaction/)
    expect(sent).toEqual([])
    status = 'T'
    await db.executeSql('insert', [])
    status = 'I'
    await expect(db.executeSql('insert', [])).rejects.toThrow(/is in no transaction/)
    expect(sent).toEqual(['insert'])
  })

  test.each<[string, (() => string | null) | undefined]>([
    ['has begun', () => 'T'],
    ['has failed', () => 'E'],
    ['is not known yet', () => null],
    ['is never known', undefined],
    // pg hands the question on to pg-native, which may have no such function.
    ['cannot be asked for', () => failed('this.native.getTransactionStatus is not a function')],
  ])('T1: where the transaction %s, the statement is sent', async (_name, status) => {
    const { sent, client } = clientOf(status)
    await from(client).executeSql('insert', [])
    expect(sent).toEqual(['insert'])
  })
})
