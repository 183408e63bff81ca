import Database from 'libsql'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AppliedAnswer, Answer, Batch, BudgetEntry, CounterEntry, RowPolicy } from '../../src/core/exchange.ts'
import type { StoreError } from '../../src/core/errors.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import type { ClientDatabase, ClientStatement, DatabaseConstructor } from '../../src/stores/sqlite/index.ts'

/** A path in a new folder, which is removed after the test. */
export function newPath(name = 'books.db'): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Closes the store when the test ends. */
export function closing<S extends Store>(store: S): S {
  onTestFinished(() => store.close())
  return store
}

export const initial: RowPolicy = { kind: 'initial', limit: 100, burnMax: 5, version: 1, endsAt: null, keepUntil: null }

export function entry(changes: Partial<BudgetEntry> = {}): BudgetEntry {
  return {
    kind: 'budget',
    key: 'seats',
    period: 0,
    known: false,
    policy: initial,
    spent: 0,
    refund: 0,
    hold: 0,
    wantMs: 0,
    ...changes,
  }
}

export function count(key: string, add: number): CounterEntry {
  return { kind: 'counter', key, add }
}

export function batch(
  { epoch, token, incarnation }: Pick<Joined, 'epoch' | 'token' | 'incarnation'>,
  seq: number,
  changes: Partial<Batch> = {},
): Batch {
  return { epoch, token, incarnation, seq, entries: [], takes: [], close: false, ...changes }
}

export function applied(answer: Answer): AppliedAnswer {
  if (answer.kind !== 'applied') throw new Error(`expected an applied answer, got ${JSON.stringify(answer)}`)
  return answer
}

/** The stable fields of a rejection. */
export function fault(code: StoreError['code'], rest: Partial<StoreError> = {}): Partial<StoreError> {
  return { name: 'StoreError', code, applied: 'no', transient: false, ...rest }
}

export interface Tampering {
  /** Runs on the new connection. */
  readonly opened?: (database: ClientDatabase) => void
  /** Runs around each `exec`; `run` does it. */
  readonly exec?: (sql: string, run: () => unknown) => unknown
  /** Called with each statement that is executed. */
  readonly seen?: (sql: string) => void
}

/** libsql's class with the given hooks. */
export function tampered({ opened, exec = (_, run) => run(), seen = () => undefined }: Tampering): DatabaseConstructor {
  return class implements ClientDatabase {
    readonly #database: ClientDatabase

    constructor(path: string) {
      this.#database = new Database(path)
      opened?.(this.#database)
    }

    exec(sql: string): unknown {
      seen(sql)
      return exec(sql, () => this.#database.exec(sql))
    }

    prepare(sql: string): ClientStatement {
      return watched(this.#database.prepare(sql), () => seen(sql))
    }

    close(): unknown {
      return this.#database.close()
    }
  }
}

function watched(statement: ClientStatement, seen: () => void): ClientStatement {
  const told =
    <T>(run: (...parameters: unknown[]) => T) =>
    (...parameters: unknown[]): T => {
      seen()
      return run(...parameters)
    }
  return {
    run: told((...parameters) => statement.run(...parameters)),
    get: told((...parameters) => statement.get(...parameters)),
    all: told((...parameters) => statement.all(...parameters)),
    raw: (on) => statement.raw?.(on),
    get reader() {
      return statement.reader === true
    },
  }
}
