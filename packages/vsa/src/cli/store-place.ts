import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from './report.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Runs `work` with a temporary folder, which is removed afterwards, also on SIGINT and SIGTERM. `work` gets the paths of files in it. */
export async function withTemporaryFolder<T>(work: (pathOf: (name: string) => string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const interrupted = (signal: NodeJS.Signals): void => {
    remove()
    for (const each of SIGNALS) process.off(each, interrupted)
    process.kill(process.pid, signal)
  }
  for (const signal of SIGNALS) process.on(signal, interrupted)
  try {
    return await work((name) => join(folder, name))
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted)
    remove()
  }
}

/** Checks the path of a new store. @throws CommandError `store_exists`: the rows of two runs must not be mixed */
export function newStorePath(path: string): string {
  if (existsSync(path))
    throw new CommandError('store_exists', `${path} exists already: name a file that does not, or remove it`)
  return path
}

/** Checks the path of a store to read. @throws CommandError `no_such_file` */
export function existingStorePath(path: string): string {
  if (!existsSync(path))
    throw new CommandError('no_such_file', `${path} does not exist: name the SQLite file of a store`)
  return path
}
