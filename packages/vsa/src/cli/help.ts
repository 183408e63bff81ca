import { type Command, type Flag, type ValueOption, operandSpelling, spellingOf } from './command.ts'
import { HELP, VERSION } from './command-line.ts'
import { wrapped } from './table.ts'

const WIDTH = 88
const SUMMARY = 'VSA: exact admission in memory, with only the net effect made durable'

/** The help of the program: its commands and global options. */
export function programHelp(commands: readonly Command[]): string {
  const listed = commands.filter(({ isHidden }) => isHidden !== true).map(commandRow)
  return sections(
    'Usage: vsa <command> [options]',
    SUMMARY,
    section('Commands', [...listed, ['help [command]', 'show the help of a command']]),
    section('Options', [VERSION, HELP].map(optionRow)),
  )
}

/** The help of one command. */
export function commandHelp({ name, summary, operands, options }: Command): string {
  const usage = ['Usage: vsa', name, '[options]', ...operands.map(operandSpelling)].join(' ')
  return sections(
    usage,
    wrapped(summary, WIDTH).join('\n'),
    operands.length === 0
      ? ''
      : section(
          'Arguments',
          operands.map((operand) => [operandSpelling(operand), operand.help]),
        ),
    section('Options', [...options, HELP].map(optionRow)),
  )
}

type Row = readonly [spelling: string, help: string]

function commandRow({ name, operands, summary }: Command): Row {
  return [[name, ...operands.map(operandSpelling)].join(' '), summary]
}

function optionRow(option: Flag | ValueOption<unknown>): Row {
  if (option.kind === 'flag') {
    return [option.short === undefined ? spellingOf(option) : `-${option.short}, ${spellingOf(option)}`, option.help]
  }
  const help = option.defaultText === undefined ? option.help : `${option.help} (default: ${option.defaultText})`
  return [spellingOf(option), help]
}

function sections(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n\n')
}

/** Two columns: the spellings, and the help wrapped beside them. */
function section(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([spelling]) => spelling.length))
  const lines = rows.flatMap(([spelling, help]) =>
    wrapped(help, WIDTH - width - 4).map((line, at) => `  ${(at === 0 ? spelling : '').padEnd(width)}  ${line}`),
  )
  return [`${title}:`, ...lines].join('\n')
}
