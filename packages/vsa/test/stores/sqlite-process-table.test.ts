import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { processTable } from '../../src/stores/sqlite/process-table.ts'
import { newPath } from './sqlite-fixture.ts'

/* No child process: mutants of the process table meet these tests. */

/** More than Linux gives to a process. */
const NO_PID = 2 ** 22 + 1
const HERE = { bootId: 'boot', pidNamespace: 'pid:[1]', pid: 7, startTime: '500' }

/** The line that the kernel writes of a process. */
function statOf(pid: number, startTime: number, state = 'S'): string {
  return `${pid} (a (strange) name) ${state} ${'0 '.repeat(18)}${startTime} 0`
}

/** A folder like `/proc`, with a process 7 that is the own one. */
function fakeProc(timeNamespace: string | null): string {
  const folder = dirname(newPath())
  mkdirSync(`${folder}/sys/kernel/random`, { recursive: true })
  mkdirSync(`${folder}/self/ns`, { recursive: true })
  writeFileSync(`${folder}/sys/kernel/random/boot_id`, 'boot\n')
  symlinkSync('pid:[1]', `${folder}/self/ns/pid`)
  if (timeNamespace !== null) symlinkSync(timeNamespace, `${folder}/self/ns/time`)
  writeFileSync(`${folder}/self/stat`, statOf(7, 500))
  return folder
}

/** In the folder, a process as `stat` says it. */
function putProcess(folder: string, pid: number, stat: string): void {
  mkdirSync(`${folder}/${pid}`)
  writeFileSync(`${folder}/${pid}/stat`, stat)
}

describe('S8: a dead process is known by its name', () => {
  beforeEach(({ skip }) => skip(process.platform !== 'linux', 'only Linux has /proc'))

  it('S8: a process of another boot or namespace, or with a name that cannot be parsed, does not count as dead', () => {
    const table = processTable()
    const name = JSON.parse(table.self() ?? '') as Record<string, unknown>
    const dead = { ...name, pid: 2 ** 22 + 1 }
    expect(table.isGone(JSON.stringify(dead))).toBe(true)
    expect(table.isGone(JSON.stringify({ ...name, startTime: '1' }))).toBe(true)
    for (const unknown of [
      { ...dead, bootId: 'other' },
      { ...dead, pidNamespace: 'pid:[1]' },
      { ...dead, timeNamespace: 'time:[1]' },
      { ...dead, timeNamespace: null },
    ]) {
      expect(table.isGone(JSON.stringify(unknown))).toBe(false)
    }
  })

  it.each([null, '', '{', '7', 'null', '[]', '{}', '"name"'])('S8: no name of a process: %s', (name) => {
    expect(processTable().isGone(name)).toBe(false)
  })

  it.each(['bootId', 'pidNamespace', 'timeNamespace', 'pid', 'startTime'])(
    'S8: a name without %s, or with one of another kind, is no name',
    (field) => {
      const folder = fakeProc(null)
      const dead = { ...HERE, timeNamespace: null, pid: NO_PID }
      const table = processTable(folder, 7)
      expect(table.isGone(JSON.stringify(dead))).toBe(true)
      for (const value of [undefined, 0, -1, 0.5, 2 ** 53, {}, true, 'other', ...(field === 'pid' ? ['7'] : [])])
        expect(table.isGone(JSON.stringify({ ...dead, [field]: value })), JSON.stringify(value)).toBe(
          // Another start time is another process.
          field === 'startTime' && value === 'other',
        )
    },
  )

  it('S8: the own process has no name when /proc is missing or of another namespace', () => {
    expect(processTable(dirname(newPath())).self()).toBeNull()
    const folder = fakeProc(null)
    expect(processTable(folder, 8).self()).toBeNull()
    expect(JSON.parse(processTable(folder, 7).self() ?? '')).toEqual({ ...HERE, timeNamespace: null })
  })

  it.each(['sys/kernel/random/boot_id', 'self/ns/pid', 'self/stat'])(
    'S8: without %s the own process has no name, and no other one counts as dead',
    (part) => {
      const folder = fakeProc(null)
      rmSync(`${folder}/${part}`)
      const table = processTable(folder, 7)
      expect(table.self()).toBeNull()
      expect(table.isGone(JSON.stringify({ ...HERE, timeNamespace: null, pid: NO_PID }))).toBe(false)
    },
  )

  it.each([
    ['lives', statOf(9, 500), false],
    ['is another one, with the same pid', statOf(9, 501), true],
    ['has ended, and its parent has not noticed', statOf(9, 500, 'Z'), true],
    ['is just ending', statOf(9, 500, 'X'), true],
  ])('S8: a process that %s', (_, stat, gone) => {
    const folder = fakeProc('time:[1]')
    putProcess(folder, 9, stat)
    expect(processTable(folder, 7).isGone(JSON.stringify({ ...HERE, timeNamespace: 'time:[1]', pid: 9 }))).toBe(gone)
  })

  it.each(['', '9', '9 (node) S', 'x (node) S', `x${statOf(9, 501)}`])(
    'S8: what is no line of the kernel says nothing: %j: the kernel is asked whether there is such a process',
    (stat) => {
      const folder = fakeProc(null)
      const named = (pid: number): string => JSON.stringify({ ...HERE, timeNamespace: null, pid })
      for (const pid of [process.pid, NO_PID]) putProcess(folder, pid, stat)
      const table = processTable(folder, 7)
      expect([table.isGone(named(process.pid)), table.isGone(named(NO_PID))]).toEqual([false, true])
    },
  )

  it('S8: a process of another time namespace, where start times are others, does not count as dead', () => {
    const folder = fakeProc('time:[1]')
    // As it sees itself, and as this one sees it.
    putProcess(folder, 9, statOf(9, 10_000_500))
    const there = { ...HERE, timeNamespace: 'time:[2]', pid: 9 }
    const table = processTable(folder, 7)
    expect(table.isGone(JSON.stringify(there))).toBe(false)
    // Within one namespace another start time is another process.
    expect(table.isGone(JSON.stringify({ ...there, timeNamespace: 'time:[1]' }))).toBe(true)
  })
})
