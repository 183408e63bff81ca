import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from './report.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Runs `work` with a folder that is gone afterwards, also when it is interrupted; `work` gets the paths of files in it. */
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

/** The path of a store that is to be made. @throws CommandError `store_exists`: what is in it must not be mixed with what is to come */
export function newStorePath(path: string): string {
  if (existsSync(path))
    throw new CommandError('store_exists', `${path} exists already: name a file that does not, or remove it`)
  return path
}

/** The path of a store that is to be read. @throws CommandError `no_such_file` */
export function existingStorePath(path: string): string {
  if (!existsSync(path))
    throw new CommandError('no_such_file', `${path} does not exist: name the SQLite file of a store`)
  return path
}
