import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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
