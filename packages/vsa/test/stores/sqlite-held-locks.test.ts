import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { DATABASE_LOCK, findLock, SHM_LOCK } from '../../src/stores/sqlite/client/held-locks.ts'
import { newPath } from './sqlite-fixture.ts'

/* A folder in the place of `/proc/self`: what Linux would show. */

const PATH = '/data/books.db'
const HEAD = 'pos:\t0\nflags:\t02100002\nmnt_id:\t30\nino:\t2285636\n'

function textOf(range: string | undefined): string {
  return range === undefined ? HEAD : `${HEAD}lock:\t1: POSIX  ADVISORY  READ 7898 fe:00:2285636 ${range}\n`
}

/** How many files in the folder this process has open. */
function openIn(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      return ''
    }
  })
  return targets.filter((target) => target.startsWith(folder)).length
}

class Self {
  readonly folder: string = dirname(newPath())

  constructor() {
    for (const name of ['fd', 'fdinfo']) mkdirSync(`${this.folder}/${name}`)
  }

  /** A descriptor of the file, and the lock that it has. */
  open(descriptor: number, path = PATH, range?: string): void {
    symlinkSync(path, `${this.folder}/fd/${descriptor}`)
    this.shows(descriptor, range)
  }

  shows(descriptor: number, range?: string): void {
    writeFileSync(`${this.folder}/fdinfo/${descriptor}`, textOf(range))
  }

  find(): ReturnType<typeof findLock> {
    return findLock(PATH, DATABASE_LOCK, this.folder)
  }
}

describe('L1: the lock of a file', () => {
  beforeEach(({ skip }) => skip(process.platform !== 'linux', 'only Linux shows locks'))

  it('L1: is found by its descriptor, and is held as long as the kernel shows it there', () => {
    const self = new Self()
    self.open(5, PATH, DATABASE_LOCK)
    const lock = self.find()
    expect(lock?.isHeld()).toBe(true)
    self.shows(5)
    expect([lock?.isHeld(), lock?.isHeld(), self.find()]).toEqual([false, false, undefined])
  })

  it.each([
    ['of another file', '/data/other.db', DATABASE_LOCK],
    ['of another range', PATH, SHM_LOCK],
    ['of a range that begins like it', PATH, `${DATABASE_LOCK}0`],
    ['of a range that ends like it', PATH, `1${DATABASE_LOCK}`],
    ['that is none', PATH, undefined],
  ])('L1: is not one %s', (_, path, range) => {
    const self = new Self()
    self.open(5, path, range)
    expect(self.find()).toBeUndefined()
  })

  it('L1: is found behind descriptors that have none, and those that have gone meanwhile', () => {
    const self = new Self()
    for (const descriptor of [3, 4, 6]) self.open(descriptor)
    rmSync(`${self.folder}/fdinfo/4`)
    writeFileSync(`${self.folder}/fd/7`, 'no link')
    self.open(8, PATH, DATABASE_LOCK)
    expect(self.find()?.isHeld()).toBe(true)
  })

  it('L1: is looked for once, and then again only when its descriptor shows it no more', () => {
    const self = new Self()
    self.open(5, PATH, DATABASE_LOCK)
    const lock = self.find()
    rmSync(`${self.folder}/fd`, { recursive: true })
    expect(lock?.isHeld()).toBe(true)
    mkdirSync(`${self.folder}/fd`)
    self.open(6, PATH, DATABASE_LOCK)
    self.shows(5)
    expect(lock?.isHeld()).toBe(true)
    self.shows(6)
    expect(lock?.isHeld()).toBe(false)
    self.shows(6, DATABASE_LOCK)
    expect(lock?.isHeld()).toBe(true)
  })

  it('L1: leaves no descriptor open, however often it is looked for', () => {
    const self = new Self()
    self.open(5, PATH, DATABASE_LOCK)
    self.open(6)
    const lock = self.find()
    for (let time = 0; time < 5; time += 1) {
      for (const range of [undefined, DATABASE_LOCK]) {
        self.shows(5, range)
        expect(lock?.isHeld()).toBe(range !== undefined)
      }
    }
    expect(openIn(self.folder)).toBe(1)
    lock?.close()
    expect(openIn(self.folder)).toBe(0)
  })

  it('L1: is looked for anew after `close`, which may be called again', () => {
    const self = new Self()
    self.open(5, PATH, DATABASE_LOCK)
    const lock = self.find()
    lock?.close()
    lock?.close()
    rmSync(`${self.folder}/fd`, { recursive: true })
    expect(lock?.isHeld()).toBe(false)
  })
})
