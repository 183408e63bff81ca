import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { root, temporaryFolder } from './repository.ts'

// Each program runs in a process of its own, with the built package installed.
const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules'))
symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))

interface Run {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
  /** Where it ran. */
  readonly place: string
}

/** Runs a program that begins with `vsa` open on the store. */
function run(store: string, program: string, flags: readonly string[] = []): Promise<Run> {
  const place = mkdtempSync(join(folder, 'program-'))
  const lines = [
    `import { open } from 'vsa'`,
    `import { memory } from 'vsa/memory'`,
    `import { sqlite } from 'vsa/sqlite'`,
    `const vsa = open({ store: ${store}, deadlineMs: 20_000 })`,
    program,
  ]
  writeFileSync(join(place, 'program.mjs'), lines.join('\n'))
  return new Promise((resolve) => {
    const args = [...flags, 'program.mjs']
    execFile(process.execPath, args, { cwd: place, timeout: 100_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr, place }),
    )
  })
}

/** What the program left in its file. */
async function left({ place }: Run): Promise<object> {
  const store = sqlite(join(place, 'vsa.db'), { thread: false })
  const owners = (await store.owners()).map(({ state }) => state)
  const vsa = open({ store })
  const [likes, calls] = [
    await vsa.counter('likes').read(),
    await vsa.budget('calls', { limit: 100, per: 'year' }).peek(),
  ]
  await vsa.close()
  return { owners, likes, used: calls.used, burned: calls.burned }
}

const USE = `
vsa.counter('likes').add(7)
const calls = vsa.budget('calls', { limit: 100, per: 'year', atRisk: 50 })
calls.admit(5).then(() => { calls.tryAdmit(3); calls.refund(2) })
`

describe.each([
  ['on a thread', `sqlite('vsa.db')`],
  ['direct', `sqlite('vsa.db', { thread: false })`],
])('SQLite %s', (_how, store) => {
  test('L3 L4: at the end of a script everything is saved, every lease returned and the epoch closed', async () => {
    const done = await run(store, USE)
    expect(done).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(await left(done)).toEqual({ owners: ['closed'], likes: 7, used: 6, burned: 0 })
  })

  test('process.exit() gives no time to save: a warning says what is lost', async () => {
    const done = await run(
      store,
      `await vsa.ready()\n${USE}\nawait calls.admit()\nvsa.counter('likes').add()\nprocess.exit(3)`,
    )
    expect(done).toMatchObject({ code: 3, stdout: '' })
    expect(done.stderr).toMatch(
      /exits without close: the additions to 1 counter are lost, .*a lease of \d+ units burns/,
    )
  })

  test('a process that goes on after beforeExit, as some hosts do, finds its engine open', async () => {
    // It goes on for a while after the save has ended, however long that takes: its flush comes behind that of the save.
    const program = `
let invocations = 0
process.on('beforeExit', () => {
  if ((invocations += 1) > 3) return
  vsa.counter('likes').add(1)
  vsa.flush({ returnLeases: true }).then(() => setTimeout(() => console.log('next'), 60))
})
vsa.counter('likes').add(1)
`
    const done = await run(store, program)
    expect(done).toMatchObject({ code: 0, stdout: 'next\nnext\nnext\n', stderr: '' })
    expect(await left(done)).toMatchObject({ owners: ['closed'], likes: 4 })
  })
})

test('in memory: the same, as its statistics show', async () => {
  const done = await run(
    'memory()',
    `${USE}\nprocess.on('exit', () => console.log(vsa.stats().records, vsa.stats().leasedUnits))`,
  )
  expect(done).toMatchObject({ code: 0, stdout: '3 0\n', stderr: '' })
})

test('an engine that was closed, or that nothing was asked of, ends in silence', async () => {
  const closed = await run(`sqlite('vsa.db')`, `vsa.counter('likes').add(7)\nawait vsa.close()`)
  const idle = await run(`sqlite('vsa.db')`, '')
  expect([closed, idle]).toMatchObject([
    { code: 0, stdout: '', stderr: '' },
    { code: 0, stdout: '', stderr: '' },
  ])
})

test('a store that does not answer keeps the process for the deadline at most, and a warning says what happened', async () => {
  const program = `
const inner = memory()
const hung = Object.assign(Object.create(inner), { capabilities: inner.capabilities, exchange: () => new Promise(() => {}) })
for (const call of ['join', 'read', 'list', 'owners', 'close']) hung[call] = (argument) => inner[call](argument)
const other = open({ store: hung, deadlineMs: 200, onEvent: () => {} })
await other.ready()
other.counter('likes').add(7)
await vsa.close()
const from = performance.now()
process.on('exit', () => console.log(performance.now() - from < 30_000))
`
  const done = await run('memory()', program)
  expect(done).toMatchObject({ code: 0, stdout: 'true\n' })
  expect(done.stderr).toContain('not everything was saved at the end of the process')
})

test('thousands of engines have one listener together, none when they are closed, and none is kept in memory by it', async () => {
  const program = `
const listeners = () => process.listenerCount('beforeExit') + process.listenerCount('exit')
await vsa.close()
const none = listeners()
const engines = Array.from({ length: 2_000 }, () => open({ store: memory() }))
console.log(listeners() - none)
await Promise.all(engines.splice(0, 1_000).map((engine) => engine.close()))
console.log(listeners() - none)
const refs = engines.splice(0).map((engine) => new WeakRef(engine))
for (let turn = 0; turn < 100 && refs.some((ref) => ref.deref() !== undefined); turn += 1) {
  await new Promise((resolve) => setImmediate(resolve))
  gc()
}
console.log(refs.filter((ref) => ref.deref() !== undefined).length)
`
  const done = await run('memory()', program, ['--expose-gc'])
  expect(done).toMatchObject({ code: 0, stdout: '2\n2\n0\n', stderr: '' })
})
