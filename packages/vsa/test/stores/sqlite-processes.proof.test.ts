import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { processTable } from '../../src/stores/sqlite/process-table.ts'
import { applied, batch, closing, count, entry, newPath } from './sqlite-fixture.ts'
import { child } from './sqlite-children.ts'

const join = `const { epoch, token, incarnation } = await store.join('child')\nconsole.log(epoch)\n`

/** A loaded machine may be a while. */
const SLOWLY = { timeout: 60_000 }

describe('S8: a dead process is detected', () => {
  beforeEach(({ skip }) => skip(process.platform !== 'linux', 'only Linux has /proc'))

  it('S8: the lease of a dead process is burned before it expires, and the lease of a living process is not', async () => {
    const path = newPath()
    // Time advances by the test alone, however long the child takes to end.
    const startMs = Date.now()
    const clock = { skewMs: 0 }
    const store = closing(sqlite(path, { thread: false, leaseTtlMs: 3_600_000, now: () => startMs + clock.skewMs }))
    const owner = await store.join('parent')
    await store.exchange(batch(owner, 1, { entries: [entry()] }))
    const other = child(
      path,
      `const store = sqlite(path, { thread: false, leaseTtlMs: 3_600_000, now: () => ${startMs} })\n${join}
      const entry = { kind: 'budget', key: 'seats', period: 0, known: true, spent: 0, refund: 0, hold: 30, wantMs: 0 }
      await store.exchange({ epoch, token, incarnation, seq: 1, entries: [entry], takes: [], close: false })
      console.log('leased')
      setInterval(() => {}, 1_000)`,
    )
    const childEpoch = Number(await other.line())
    expect(await other.line()).toBe('leased')
    let seq = 1
    const look = async (skewMs: number) => {
      clock.skewMs += skewMs
      seq += 1
      return applied(await store.exchange(batch(owner, seq, { entries: [entry({ known: true })] }))).entries[0]
    }
    expect(await look(2_000)).toMatchObject({ others: 1, othersHeld: 30, burned: 0 })

    other.process.kill('SIGKILL')
    await other.ended
    // Looked up at most once a second.
    expect(await look(500)).toMatchObject({ others: 1, burned: 0 })
    expect(await look(1_000)).toMatchObject({ others: 0, othersHeld: 0, burned: 30, pool: 70 })
    expect((await store.owners()).find((owner) => owner.epoch === childEpoch)?.state).toBe('closed')
  })

  it('S8: a zombie counts as dead, and a running process does not', async () => {
    const table = processTable()
    const self = table.self()
    expect(table.isGone(self)).toBe(false)
    // The shell becomes a program that never waits for its child, before the child ends.
    const shell = child(
      newPath(),
      `import { spawn } from 'node:child_process'
      const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $$ $!; exec sleep 60'], { stdio: ['ignore', 'inherit', 'inherit'] })
      process.on('SIGTERM', () => { shell.kill('SIGKILL'); process.exit() })`,
    )
    const [parent, pid] = ((await shell.line()) ?? '').split(' ').map(Number)
    await expect.poll(() => readFileSync(`/proc/${parent}/stat`, 'utf8'), SLOWLY).toContain('(sleep)')
    process.kill(Number(pid), 'SIGKILL')
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), SLOWLY).toContain(') Z ')
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const name = JSON.stringify({ ...JSON.parse(self ?? ''), pid, startTime })
    expect(table.isGone(name)).toBe(true)
    shell.process.kill('SIGTERM')
    await shell.ended
  })
})

describe('a process without write permission', () => {
  beforeEach(({ skip }) => skip(process.platform === 'win32', 'Windows has no permission bits'))

  it('an error names the file or the folder', async () => {
    const path = newPath()
    const folder = dirname(path)
    writeFileSync(path, '')
    chmodSync(path, 0o444)
    // Root may write everything, so it changes to another user. Before that it opens a store: that user may not be able to read the package.
    const joinInFolder = (mode: number): string => `
      import { chmodSync } from 'node:fs'
      await sqlite(${JSON.stringify(newPath())}, { thread: false }).join('a')
      chmodSync(${JSON.stringify(folder)}, ${mode})
      if (process.getuid() === 0) process.setuid(65534)
      await sqlite(path, { thread: false }).join('a').catch((error) => console.log(error.code, error.message))`
    expect(await child(path, joinInFolder(0o777)).line()).toContain(`read_only ${path} cannot be written`)
    const line = await child(path, joinInFolder(0o555)).line()
    chmodSync(folder, 0o755)
    expect(line).toContain(`read_only the folder ${folder} cannot be written`)
  })
})

describe('concurrent processes', () => {
  it('S2, L3: several processes create one file at the same time, get different epochs, and lose no writes', async () => {
    const path = newPath()
    const source = `const store = sqlite(path, { thread: THREAD })
      ${join}
      for (let seq = 1; seq <= 50; seq += 1) {
        await store.exchange({ epoch, token, incarnation, seq, entries: [{ kind: 'counter', key: 'c', add: 1 }], takes: [], close: false })
      }
      await store.close()`
    const children = Array.from({ length: 6 }, (_, index) => child(path, source.replace('THREAD', String(index < 3))))
    const epochs = await Promise.all(children.map(async (other) => Number(await other.line())))
    expect(epochs.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6])
    expect(await Promise.all(children.map((other) => other.ended))).toEqual([0, 0, 0, 0, 0, 0])
    const store = closing(sqlite(path, { thread: false }))
    const owner = await store.join('parent')
    expect(applied(await store.exchange(batch(owner, 1, { entries: [count('c', 0)] }))).entries).toMatchObject([
      { value: 300 },
    ])
  })
})

describe('a process that is killed', () => {
  it('L3: every transaction is applied completely or not at all', async () => {
    const path = newPath()
    const keys = Array.from({ length: 60 }, (_, index) => `c${index}`)
    const source = `const store = sqlite(path, { thread: THREAD })\n${join}
      const entries = ${JSON.stringify(keys.map((key) => count(key, 1)))}
      for (let seq = 1; ; seq += 1) {
        await store.exchange({ epoch, token, incarnation, seq, entries, takes: [], close: false })
        console.log(seq)
      }`
    let before = 0
    for (const [round, thread] of [true, false, true, false].entries()) {
      const other = child(path, source.replace('THREAD', String(thread)))
      await other.line()
      let answered = 0
      for (let lines = 0; lines < 20 + 7 * round; lines += 1) answered = Number(await other.line())
      other.process.kill('SIGKILL')
      await other.ended
      for (let line = await other.line(); line !== undefined; line = await other.line()) answered = Number(line)

      const store = sqlite(path, { thread: false })
      const owner = await store.join('parent')
      const looks = keys.map((key) => count(key, 0))
      const { entries } = applied(await store.exchange(batch(owner, 1, { entries: looks })))
      const values = new Set(entries.map((answer) => (answer.kind === 'counter' ? answer.value : -1)))
      await store.close()
      expect(values.size).toBe(1)
      const [value = -1] = values
      // Answered exchanges are applied. Of the others, at most the one in flight.
      expect(value - before - answered).toBeGreaterThanOrEqual(0)
      expect(value - before - answered).toBeLessThanOrEqual(1)
      before = value
    }
  })
})
