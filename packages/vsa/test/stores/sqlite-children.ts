import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/** The built package: a child process cannot load TypeScript. */
const built = new URL('../../dist/', import.meta.url)

export interface Child {
  readonly process: ChildProcess
  /** The next line that it prints; undefined at its end. */
  line(): Promise<string | undefined>
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>
}

/** Runs a module in the folder of `path`, with `path` and `sqlite` of the built package in scope. It is killed when the test ends. */
export function child(path: string, source: string): Child {
  const script = join(dirname(path), `child-${Math.abs(hash(source))}.mjs`)
  const head = `import { sqlite } from ${JSON.stringify(new URL('stores/sqlite/index.js', built).href)}\nconst path = ${JSON.stringify(path)}\n`
  writeFileSync(script, head + source)
  const process = spawn(globalThis.process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | string | null>((resolve) => {
    process.on('close', (code, signal) => resolve(code ?? signal))
  })
  const lines: AsyncIterator<string, undefined> = createInterface({ input: process.stdout })[Symbol.asyncIterator]()
  onTestFinished(async () => {
    process.kill('SIGKILL')
    await ended
  })
  return { process, ended, line: async () => (await lines.next()).value }
}

function hash(text: string): number {
  let sum = 0
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) | 0
  return sum
}
