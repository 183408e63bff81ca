import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))
const SOUND = 'Every row adds up: minted = used + pool + burned + leased. The file is sound.'

/** What a program of `examples` prints, in a new folder. A program that fails rejects. */
async function run(program: string, ...more: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-examples-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const ended = await promisify(execFile)(process.execPath, [join(examples, program), ...more], { cwd: folder })
  return ended.stdout
}

/** The number behind the name. */
function figure(printed: string, name: string): number {
  const [, found] = new RegExp(`${name}"?: (?:at least )?(-?\\d+)`).exec(printed) ?? []
  if (found === undefined) throw new Error(`no ${name} in ${printed}`)
  return Number(found)
}

describe('five agents, 600 credits, 500 each', () => {
  test('before: several run, and more credits are used than there were', async () => {
    const printed = await run('five-agents/before.js')
    expect(figure(printed, 'ran')).toBeGreaterThan(1)
    expect(figure(printed, 'credits left')).toBe(600 - 500 * figure(printed, 'ran'))
  })

  test('L1, L2: exactly one runs; it is killed in mid-stream, what it used is charged, and the books balance', async () => {
    const printed = await run('five-agents/after.js')
    expect(printed.split('\n').slice(0, 6)).toEqual([
      '600 credits, five agents of 500 each',
      'ran: 1, refused: 4',
      'killed in mid-stream: 1',
      'after the kill: reserved 500, left 100',
      'charged to the killed agent: 200',
      'credits left: 400',
    ])
    expect(printed).toContain(SOUND)
  })
})

describe('credits that cannot go below zero', () => {
  test('before: 50 requests at once take the balance below zero', async () => {
    const printed = await run('credits-below-zero/before.js')
    expect(figure(printed, 'served')).toBeGreaterThan(10)
    expect(figure(printed, 'credits left')).toBeLessThan(0)
  })

  test('L1: the same app on VSA serves ten, and ends at zero', async () => {
    const printed = await run('credits-below-zero/after.js')
    expect(printed).toContain('served: 10, refused: 40, failed: 0')
    expect(figure(printed, 'credits left')).toBe(0)
    expect(printed).toContain(SOUND)
  })
})

describe('500 seats, ten minutes to pay, 5,000 buyers, eight processes, one kill', () => {
  test('before: more than 500 are sold', async () => {
    expect(figure(await run('five-hundred-seats/before.js'), 'sold')).toBeGreaterThan(500)
  })

  test('L1, L2: 500 are sold and not one more, holds that were not paid are sold again, and the books balance', async () => {
    const printed = await run('five-hundred-seats/after.js', '2000')
    expect(figure(printed, 'killed')).toBe(1)
    expect(figure(printed, 'holds that came back')).toBeGreaterThan(0)
    expect(figure(printed, 'sold')).toBe(500)
    // The killed process may have sold some without telling.
    expect(figure(printed, 'told')).toBeLessThanOrEqual(500)
    expect(printed).toContain('{"minted":500,"used":500,"reserved":0,"remaining":0,"burned":0}')
    expect(printed).toContain(SOUND)
  })
})
