import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** The built package: a child process cannot load TypeScript. */
const built = new URL('../../dist/', import.meta.url)
const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

export interface Child {
  readonly process: ChildProcess
  /** The next line that it prints; undefined at its end. */
  line(): Promise<string | undefined>
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>
}

/** Runs a module in the folder of `path`, with `path` and `sqlite` of the built package in scope. It is killed when the test ends. */
export function child(path: string, source: string): Child {
  const head = `import { sqlite } from ${JSON.stringify(new URL('stores/sqlite/index.js', built).href)}\nconst path = ${JSON.stringify(path)}\n`
  return childIn(dirname(path), head + source)
}

/** Runs a module in a folder. It is killed when the test ends. */
export function childIn(folder: string, source: string): Child {
  const script = join(folder, `child-${Math.abs(hash(source))}.mjs`)
  writeFileSync(script, source)
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

/** A folder with a copy of what `vsa/sqlite` needs, as npm installs it, and with these drivers of this repository. */
export function installed(drivers: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-installed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'node_modules'))
  const library = join(folder, 'node_modules/vsa')
  for (const part of ['core', 'stores/sqlite']) {
    const isCode = (path: string): boolean => !path.endsWith('.d.ts')
    cpSync(fileURLToPath(new URL(part, built)), join(library, 'dist', part), { recursive: true, filter: isCode })
  }
  copyFileSync(fileURLToPath(new URL('../package.json', built)), join(library, 'package.json'))
  for (const name of ['temporal-polyfill', ...drivers]) {
    symlinkSync(join(modules, name), join(folder, 'node_modules', name))
  }
  return folder
}

function hash(text: string): number {
  let sum = 0
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) | 0
  return sum
}
