import Database from 'libsql'
import { describe, expect, it } from 'vitest'
import { keepOutside, nativeGate } from '../../src/stores/sqlite/client/native-gate.ts'
import { child } from './sqlite-children.ts'
import { BUSY, endsOf, EXITS } from './sqlite-exits.ts'
import { newPath } from './sqlite-fixture.ts'

/** Holds the file's write lock until the test ends. */
function lock(path: string): void {
  const database = new Database(path)
  for (let tries = 0; ; tries += 1) {
    try {
      return void database.exec('PRAGMA busy_timeout = 100; BEGIN IMMEDIATE')
    } catch (error) {
      if (tries > 100) throw error
    }
  }
}

describe('a process that exits while the thread of its store is busy', () => {
  it.each(EXITS)('exits %s, 60 times, and ends with its own code', async (_, source) => {
    expect(await endsOf(source, 60)).toEqual(new Set([7]))
  })

  it('ends at once while its thread waits for a lock', async () => {
    const path = newPath()
    const other = child(
      path,
      `${BUSY}
      process.once('SIGUSR2', () => {
        flush()
        setTimeout(() => process.exit(7), 300)
      })
      console.log('joined')
      setInterval(() => {}, 1_000)`,
    )
    expect(await other.line()).toBe('joined')
    lock(path)
    other.process.kill('SIGUSR2')
    // In SQLite's own wait it would take ten minutes.
    expect(await other.ended).toBe(7)
  })
})

describe('the gate', () => {
  it('waits for a thread that is inside no longer than it was told', () => {
    const buffer = new SharedArrayBuffer(4)
    const gate = nativeGate(buffer)
    gate.enter()
    gate.leave()
    expect(keepOutside(buffer, 600_000)).toBe(true)
    expect(keepOutside(buffer, 600_000)).toBe(true)
    const other = new SharedArrayBuffer(4)
    nativeGate(other).enter()
    expect(keepOutside(other, 5)).toBe(false)
  })
})
