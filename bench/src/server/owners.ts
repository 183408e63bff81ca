import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { READY, type OwnerConfig, type OwnerResult } from './owner-config.ts'

const PROGRAM = fileURLToPath(new URL('owner.js', import.meta.url))

/** Runs as many processes, which begin together when all are ready. @throws Error when one of them ends otherwise than with its result */
export async function runOwners(count: number, config: OwnerConfig): Promise<readonly OwnerResult[]> {
  const owners = Array.from({ length: count }, () => new Owner(config))
  await Promise.all(owners.map((owner) => owner.ready))
  for (const owner of owners) owner.begin()
  return Promise.all(owners.map((owner) => owner.result))
}

class Owner {
  readonly ready: Promise<void>
  readonly result: Promise<OwnerResult>
  readonly #begin: () => void

  constructor(config: OwnerConfig) {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(config)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#begin = () => void child.stdin.end('begin\n')
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const nextLine = async (): Promise<string> => {
      const line: IteratorResult<string, undefined> = await lines.next()
      if (line.done === true) throw new Error('a process of the benchmark ended before it was done')
      return line.value
    }
    this.ready = nextLine().then((line) => {
      if (line !== READY) throw new Error(`a process of the benchmark failed: ${line}`)
    })
    // The same build printed it.
    this.result = this.ready.then(async () => JSON.parse(await nextLine()) as OwnerResult)
  }

  begin(): void {
    this.#begin()
  }
}
