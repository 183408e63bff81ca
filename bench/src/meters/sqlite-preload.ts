import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import Database from 'libsql'
import { countStatements } from './sqlite-counts.ts'

/*
 * Loaded before anything else, in every thread of a process (`--import` in NODE_OPTIONS): counts what is asked of SQLite at its client. The threads share
 * the counts.
 */

const NAME = 'vsa-bench-sqlite-counts'
const LENGTH = 2

if (isMainThread) setEnvironmentData(NAME, new SharedArrayBuffer(LENGTH * BigInt64Array.BYTES_PER_ELEMENT))
const shared = getEnvironmentData(NAME)
if (shared instanceof SharedArrayBuffer) countStatements(Database, new BigInt64Array(shared))

/** Transactions and changed rows so far. */
export function sqliteCounts(): readonly [transactions: number, rows: number] {
  if (!(shared instanceof SharedArrayBuffer)) throw new Error('sqlite-preload was not loaded first')
  const counts = new BigInt64Array(shared)
  return [Number(Atomics.load(counts, 0)), Number(Atomics.load(counts, 1))]
}
