import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { processTable } from '../../src/stores/sqlite/process-table.ts'
import { newPath } from './sqlite-fixture.ts'

/* No child process: mutants of the process table meet these tests. */

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
      { ...dead, pid: -1 },
    ]) {
      expect(table.isGone(JSON.stringify(unknown))).toBe(false)
    }
    for (const malformed of [null, '', '{', '7', 'null', '{}', JSON.stringify({ ...dead, pid: '7' })]) {
      expect(table.isGone(malformed)).toBe(false)
    }
  })

  it('S8: the own process has no name when /proc is missing or of another namespace', () => {
    const folder = dirname(newPath())
    expect(processTable(folder).self()).toBeNull()
    mkdirSync(`${folder}/sys/kernel/random`, { recursive: true })
    mkdirSync(`${folder}/self/ns`, { recursive: true })
    writeFileSync(`${folder}/sys/kernel/random/boot_id`, 'boot\n')
    symlinkSync('pid:[1]', `${folder}/self/ns/pid`)
    const fields = Array.from({ length: 40 }, (_, index) => `f${index}`).join(' ')
    writeFileSync(`${folder}/self/stat`, `7 (a (strange) name) ${fields}`)
    expect(processTable(folder, 8).self()).toBeNull()
    const own = { bootId: 'boot', pidNamespace: 'pid:[1]', timeNamespace: null, pid: 7, startTime: 'f19' }
    expect(JSON.parse(processTable(folder, 7).self() ?? '')).toEqual(own)
  })

  it('S8: a process of another time namespace, where start times are others, does not count as dead', () => {
    const folder = dirname(newPath())
    const fields = (startTime: number): string => `S ${'0 '.repeat(18)}${startTime} 0`
    for (const [name, namespace] of [
      ['here', 'time:[1]'],
      ['there', 'time:[2]'],
    ]) {
      mkdirSync(`${folder}/${name}/sys/kernel/random`, { recursive: true })
      mkdirSync(`${folder}/${name}/self/ns`, { recursive: true })
      mkdirSync(`${folder}/${name}/7`, { recursive: true })
      writeFileSync(`${folder}/${name}/sys/kernel/random/boot_id`, 'boot\n')
      symlinkSync('pid:[1]', `${folder}/${name}/self/ns/pid`)
      symlinkSync(String(namespace), `${folder}/${name}/self/ns/time`)
      // Two processes as one of them sees them.
      writeFileSync(`${folder}/${name}/self/stat`, `${name === 'here' ? 6 : 7} (node) ${fields(500)}`)
      writeFileSync(`${folder}/${name}/7/stat`, `7 (node) ${fields(name === 'here' ? 10_000_500 : 500)}`)
    }
    const [here, there] = [processTable(`${folder}/here`, 6), processTable(`${folder}/there`, 7)]
    expect(there.self()).toContain('"startTime":"500"')
    expect(here.isGone(there.self())).toBe(false)
    // Within one namespace another start time is another process.
    const before = JSON.stringify({ ...JSON.parse(here.self() ?? ''), pid: 7 })
    expect(here.isGone(before)).toBe(true)
  })
})
