import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ErrorCode, invariant, InvariantError, StoreError, VsaError } from '../../src/core/errors.ts'
import { BooksError } from '../../src/core/row-draft.ts'

describe('errors have a name and a message', () => {
  test.each([
    [new VsaError('closed', 'the engine is closed'), 'VsaError: the engine is closed'],
    [new StoreError('disk_full', 'no space', { applied: 'no', transient: false }), 'StoreError: no space'],
    [new InvariantError('half a unit'), 'InvariantError: half a unit'],
    [
      new BooksError({ key: 'a"b', period: 60 }, 'pool is 0.5'),
      'BooksError: the books of budget "a\\"b", period 60, do not balance: pool is 0.5',
    ],
  ])('%s', (error, line) => {
    expect(String(error)).toBe(line)
    expect(error).toBeInstanceOf(Error)
  })

  test('a code of an error is never renamed or dropped', () => {
    // Adding one is fine. Programs switch on these.
    const codes = {
      closed: true,
      close_ambiguous: true,
      policy_conflict: true,
      durable_only: true,
      id_conflict: true,
      units_overflow: true,
      too_many_waiters: true,
      timeout: true,
      quarantined: true,
      row_lost: true,
      store_unavailable: true,
      store_failed: true,
      store_busy: true,
      store_lost: true,
      store_closed: true,
      not_a_database: true,
      schema_too_new: true,
      read_only: true,
      disk_full: true,
      folder_missing: true,
      database_replaced: true,
      driver_missing: true,
    } satisfies Partial<Record<ErrorCode, true>>
    const source = readFileSync(new URL('../../src/core/errors.ts', import.meta.url), 'utf8')
    const declared = [...source.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code)
    expect(declared).toEqual(expect.arrayContaining(Object.keys(codes)))
  })

  test('by default an operating failure was not applied and has status 500', () => {
    expect(new VsaError('closed', 'm')).toMatchObject({ code: 'closed', applied: 'no', statusCode: 500 })
    expect(new VsaError('timeout', 'm', { applied: 'unknown', statusCode: 503 })).toMatchObject({
      code: 'timeout',
      applied: 'unknown',
      statusCode: 503,
    })
  })

  test('an error has a cause only when one was given', () => {
    const cause = new Error('the wire')
    const options = { applied: 'unknown', transient: true } as const
    expect(new VsaError('timeout', 'm', { cause }).cause).toBe(cause)
    expect(new StoreError('store_failed', 'm', { ...options, cause }).cause).toBe(cause)
    expect('cause' in new VsaError('timeout', 'm')).toBe(false)
    expect('cause' in new StoreError('store_failed', 'm', options)).toBe(false)
  })

  test('a store error says whether a retry may help', () => {
    const error = new StoreError('store_busy', 'm', { applied: 'no', transient: true })
    expect(error).toMatchObject({ code: 'store_busy', applied: 'no', transient: true })
  })

  test('a failed assertion throws its message, and one that holds does not throw', () => {
    expect(() => invariant(false, 'never')).toThrow(new InvariantError('never'))
    expect(() => invariant(true, 'never')).not.toThrow()
  })
})
