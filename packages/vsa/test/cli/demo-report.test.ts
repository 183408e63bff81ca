import { describe, expect, test } from 'vitest'
import { demoReport, type DemoFindings } from '../../src/cli/demo/demo-report.ts'
import { PLAIN, paintFor } from '../../src/cli/paint.ts'

const BIG = 9_999_999_999
const TOTALS = {
  rows: 1,
  minted: BIG,
  used: BIG,
  reserved: 0,
  pool: BIG,
  burned: BIG,
  leased: BIG,
  faulty: [],
  unreadable: [],
}
const FINDINGS: DemoFindings = {
  net: {
    operations: 1_000_000,
    netUnits: 200,
    records: 1,
    storeCalls: 1,
    leaseRecords: 0,
    durationMs: 48.7,
    used: 200,
    isTrue: true,
  },
  speed: {
    keys: 128,
    durationMs: 3_600_000,
    operations: 99 * BIG,
    records: 99_999_999,
    leaseRecords: 99_999_999,
    storeCalls: 9_999_999,
    operationsPerSecond: BIG,
    operationsPerStoreCall: BIG,
    admitted: 98 * BIG,
    used: 98 * BIG,
    isTrue: true,
  },
  kill: {
    admitted: { atLeast: BIG, atMost: BIG + 1_000 },
    ranForMs: 1_499.9,
    atDeath: TOTALS,
    reopened: TOTALS,
    coverage: 'undecided',
    isBalanced: true,
    isTrue: true,
  },
  store: 'demo.db',
}
const WRONG: DemoFindings = {
  net: { ...FINDINGS.net, used: BIG, isTrue: false },
  speed: { ...FINDINGS.speed, isTrue: false },
  kill: {
    ...FINDINGS.kill,
    admitted: { atLeast: BIG, atMost: BIG },
    coverage: 'exceeded',
    isBalanced: false,
    isTrue: false,
  },
  store: null,
}

describe('the text of the demo', () => {
  test.each([FINDINGS, WRONG])('fits into 80 columns, also with large figures', (findings) => {
    for (const line of demoReport(findings, PLAIN).text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })
  test('is calm when all is well, and not otherwise', () => {
    expect(demoReport(FINDINGS, PLAIN).text).not.toMatch(/refused|wrong|not balance/i)
    expect(demoReport(FINDINGS, PLAIN)).toMatchObject({ ok: true })
    expect(demoReport(WRONG, PLAIN).text.match(/WRONG|DO NOT BALANCE/g)).toHaveLength(4)
    expect(demoReport(WRONG, PLAIN)).toMatchObject({ ok: false })
  })
  test('says leased, in the JSON too', () => {
    expect(JSON.stringify(demoReport(FINDINGS, PLAIN).json)).not.toContain('held')
  })
})

describe('colours', () => {
  const ESCAPE = '\u001B'
  test('a terminal has them, a pipe and a file have none', () => {
    expect(demoReport(FINDINGS, paintFor({ isTTY: true }, {})).text).toContain(`${ESCAPE}[1m(a) 1,000,000`)
    for (const stream of [{ isTTY: false }, {}])
      expect(demoReport(FINDINGS, paintFor(stream, {})).text).not.toContain(ESCAPE)
  })
  test('NO_COLOR and TERM=dumb turn them off, an empty NO_COLOR does not', () => {
    for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '0' }, { TERM: 'dumb' }]) {
      expect(paintFor({ isTTY: true }, env).good('yes')).toBe('yes')
    }
    expect(paintFor({ isTTY: true }, { NO_COLOR: '', TERM: 'xterm' }).good('yes')).toBe(`${ESCAPE}[32myes${ESCAPE}[39m`)
  })
})
