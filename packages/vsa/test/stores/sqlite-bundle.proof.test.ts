import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, describe } from 'vitest'
import { THREAD_PROOF } from '../../src/stores/sqlite/thread/proof.ts'
import { childIn, installed } from './sqlite-children.ts'

// The built files are moved apart as a bundler does it. Tried by hand with esbuild, rollup, rolldown and webpack, as ES modules and CommonJS.
const FOREIGN = `require('node:fs').writeFileSync(STARTED, '')\nsetInterval(() => {}, 1000)\n`

interface Refusal {
  readonly code: string
  readonly transient: boolean
  readonly applied: string
  readonly message: string
}

interface Bundle {
  readonly folder: string
  /** Replaces a file of the thread; null removes it. */
  put(name: string, source: string | null): void
  /** The program's own thread, which tells whether it was started. */
  readonly foreign: string
  wasStarted(): boolean
  /** What the first call of a store says, and that one without a thread works. */
  refusal(): Promise<Refusal>
}

function bundle(): Bundle {
  const folder = installed(['libsql'])
  const thread = join(folder, 'node_modules/vsa/dist/stores/sqlite/thread')
  const started = join(folder, 'started')
  return {
    folder,
    put: (name, source) => {
      if (source === null) rmSync(join(thread, name))
      else writeFileSync(join(thread, name), source)
    },
    foreign: `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n${FOREIGN.replace('STARTED', JSON.stringify(started))}`,
    wasStarted: () => existsSync(started),
    refusal: async () => {
      const program = childIn(
        folder,
        `import { sqlite } from 'vsa/sqlite'
        const path = ${JSON.stringify(join(folder, 'books.db'))}
        const error = await sqlite(path).join('a').catch((error) => error)
        const { code, transient, applied, message } = error
        console.log(JSON.stringify({ code, transient, applied, message }))
        const store = sqlite(path, { thread: false })
        console.log((await store.join('a')).epoch)
        process.exit()`,
      )
      const refusal = JSON.parse((await program.line()) ?? '') as Refusal
      expect(await program.line()).toBe('1')
      return refusal
    },
  }
}

const refused = (why: string): unknown => ({
  code: 'store_failed',
  transient: false,
  applied: 'no',
  message: expect.stringMatching(new RegExp(`${why}.*Pass \`thread: false\` to sqlite\\(\\)`)) as string,
})

const threadFile = 'vsa-sqlite-thread.js'

describe('a bundled program: the first call says at once that it needs `thread: false`', () => {
  it('a `worker.js` of the program beside the bundle is not started', async () => {
    const files = bundle()
    files.put(threadFile, null)
    files.put('worker.js', files.foreign)
    expect(await files.refusal()).toEqual(refused('there is no file file:.*vsa-sqlite-thread\\.js'))
    expect(files.wasStarted()).toBe(false)
  })

  it('a file of the program under the name of ours is not started', async () => {
    const files = bundle()
    files.put(threadFile, files.foreign)
    expect(await files.refusal()).toEqual(refused('vsa-sqlite-thread\\.js is not of this version of vsa'))
    expect(files.wasStarted()).toBe(false)
  })

  it('a file of another version of vsa is not started', async () => {
    const files = bundle()
    const source = readFileSync(join(files.folder, 'node_modules/vsa/dist/stores/sqlite/thread', threadFile), 'utf8')
    files.put(threadFile, source.replace(THREAD_PROOF, 'vsa-sqlite-thread 0.0.9'))
    expect(await files.refusal()).toEqual(refused('is not of this version of vsa'))
  })

  it('CommonJS, where a bundler leaves `import.meta` empty', async () => {
    const files = bundle()
    const store = join(files.folder, 'node_modules/vsa/dist/stores/sqlite/thread/store-thread.js')
    const source = readFileSync(store, 'utf8')
    expect(source).toContain('import.meta.url')
    files.put('store-thread.js', source.replaceAll('import.meta', '({})'))
    expect(await files.refusal()).toEqual(refused('this is a CommonJS bundle'))
  })

  it.each([
    ['answers with something else', `parentPort.postMessage('hello')`, 'another thread was started in its place'],
    ['ends', '', 'it ended with code 0'],
    ['throws', `throw new Error('no such queue')`, 'no such queue'],
    ['lacks a file', `await import('./not-there.js')`, 'Cannot find module'],
  ])('a thread that looks like ours and %s', async (_, source, why) => {
    const files = bundle()
    files.put(threadFile, `// ${THREAD_PROOF}\nimport { parentPort } from 'node:worker_threads'\n${source}\n`)
    expect(await files.refusal()).toEqual(refused(why))
  })

  it('the proof names the version of the package', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(text) as { readonly version: string }
    expect(THREAD_PROOF).toBe(`vsa-sqlite-thread ${version}`)
  })
})
