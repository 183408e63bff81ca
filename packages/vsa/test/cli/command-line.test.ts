import { describe, expect, test } from 'vitest'
import { type Command, type Flag, type Operand, UsageError, type ValueOption } from '../../src/cli/command.ts'
import { parseCommandLine, type Request } from '../../src/cli/command-line.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { commandHelp, programHelp } from '../../src/cli/help.ts'

const FILE: Operand = { name: 'file', help: 'the file', isRequired: true }
const KEY: Operand = { name: 'key', help: 'the key', isRequired: false }
const QUIET: Flag = { kind: 'flag', name: 'quiet', short: 'q', help: 'print nothing' }
const ROWS: ValueOption<number> = {
  kind: 'value',
  name: 'rows',
  value: 'n',
  help: 'rows to print',
  default: 50,
  parse: (text) => {
    if (!/^\d+$/.test(text)) throw new RangeError(`expected a number, got ${text}`)
    return Number(text)
  },
}
const SHOW: Command = {
  name: 'show',
  summary: 'show a file',
  operands: [FILE, KEY],
  options: [QUIET, ROWS],
  run: async () => null,
}
const HIDDEN: Command = { ...SHOW, name: 'secret', isHidden: true }

const parse = (...args: readonly string[]): Request => parseCommandLine([SHOW, HIDDEN], args)

/** The arguments that the command receives. */
function given(...args: readonly string[]): unknown {
  const request = parse('show', ...args)
  if (request.kind !== 'run') return request.kind
  const { invocation } = request
  return [invocation.operand(FILE), invocation.optionalOperand(KEY), invocation.value(ROWS), invocation.isSet(QUIET)]
}

describe('valid command lines', () => {
  test.each<[readonly string[], unknown]>([
    [['a.db'], ['a.db', undefined, 50, false]],
    [
      ['a.db', 'k', '--rows', '7', '--quiet'],
      ['a.db', 'k', 7, true],
    ],
    [
      ['--rows=7', 'a.db', '-q', 'k'],
      ['a.db', 'k', 7, true],
    ],
    [
      ['a.db', '--rows', '7', '--rows', '8'],
      ['a.db', undefined, 8, false],
    ],
    [
      ['--', '--rows', '-q'],
      ['--rows', '-q', 50, false],
    ],
  ])('%j', (args, expected) => {
    expect(given(...args)).toEqual(expected)
  })
  test('a key that begins with a dash goes after two dashes', () => {
    expect(given('a.db', '-q', '--', '-1')).toEqual(['a.db', '-1', 50, true])
    expect(() => given('a.db', '-1')).toThrow(/goes after '--'/)
  })
  test('each spelling of help and version is accepted', () => {
    for (const args of [['--help'], ['-h'], ['help']]) expect(parse(...args)).toEqual({ kind: 'help', isAsked: true })
    for (const args of [
      ['show', '--help'],
      ['show', 'a.db', '-h'],
      ['help', 'show'],
    ]) {
      expect(parse(...args)).toEqual({ kind: 'help', command: SHOW, isAsked: true })
    }
    for (const args of [['--version'], ['-V']]) expect(parse(...args)).toEqual({ kind: 'version' })
    expect(parse()).toEqual({ kind: 'help', isAsked: false })
  })
  test('a hidden command runs, and help does not list it', () => {
    expect(parse('secret', 'a.db')).toMatchObject({ kind: 'run', command: HIDDEN })
    expect(programHelp([SHOW, HIDDEN])).not.toContain('secret')
  })
})

describe('invalid command lines', () => {
  const AFTER = "what begins with '-' and is no option goes after '--'"
  test.each<[readonly string[], string]>([
    [['shwo', 'a.db'], "unknown command 'shwo'; did you mean 'show'?"],
    [['secrets'], "unknown command 'secrets'; the commands are show"],
    [['--vers'], "unknown option '--vers' of 'vsa'; did you mean '--version'?"],
    [['show', 'a.db', '--row', '7'], "unknown option '--row' of 'vsa show'; did you mean '--rows'?"],
    [['show', 'a.db', '--no-quiet'], "unknown option '--no-quiet' of 'vsa show'; did you mean '--quiet'?"],
    [['show', 'a.db', '-x'], `unknown option '-x' of 'vsa show'; it takes --quiet, --rows, --help; ${AFTER}`],
    [['show', 'a.db', '-1'], `unknown option '-1' of 'vsa show'; it takes --quiet, --rows, --help; ${AFTER}`],
    [['--no'], "unknown option '--no' of 'vsa'; it takes --help, --version"],
    [
      ['show', 'a.db', '--constructor'],
      `unknown option '--constructor' of 'vsa show'; it takes --quiet, --rows, --help; ${AFTER}`,
    ],
    [['show'], "missing argument <file> of 'vsa show': the file"],
    [['show', 'a', 'b', 'c'], "'vsa show' takes at most 2 arguments, got 3"],
    [['show', 'a.db', '--rows'], "option '--rows <n>' needs an argument"],
    [['show', 'a.db', '--rows', '-1'], "option '--rows <n>': expected a number, got -1"],
    [['show', 'a.db', '--quiet=yes'], "option '--quiet' takes no argument, got 'yes'"],
  ])('%j', (args, message) => {
    const understood = (): unknown => given(...args.slice(1))
    expect(args[0] === 'show' ? understood : () => parse(...args)).toThrow(new UsageError(message))
  })
})

test.each(['--csv', '--spreadsheet'])('usage takes one of %s and --json', async (option) => {
  const request = parseCommandLine(COMMANDS, ['usage', 'none.db', option, '--json'])
  if (request.kind !== 'run') throw new Error('it is a command')
  await expect(request.command.run(request.invocation)).rejects.toThrow(
    new UsageError(`'vsa usage' takes '${option}' or '--json', not both`),
  )
})

describe('help', () => {
  const texts = [programHelp(COMMANDS), ...COMMANDS.map(commandHelp)]
  test('help fits into 100 columns', () => {
    for (const line of texts.join('\n').split('\n')) expect(line.length).toBeLessThan(100)
  })
  test('help names every operand, option and default', () => {
    for (const command of COMMANDS) {
      const text = commandHelp(command)
      for (const { name, help } of [...command.operands, ...command.options]) {
        expect(text).toContain(name)
        expect(text).toContain(help)
      }
    }
    expect(texts.join('\n')).toContain('(default: 1m)')
  })
  test('help aligns its columns', () => {
    expect(commandHelp(SHOW)).toBe(
      [
        'Usage: vsa show [options] <file> [key]',
        '',
        'show a file',
        '',
        'Arguments:',
        '  <file>  the file',
        '  [key]   the key',
        '',
        'Options:',
        '  -q, --quiet  print nothing',
        '  --rows <n>   rows to print',
        '  -h, --help   show this help',
      ].join('\n'),
    )
  })
})
