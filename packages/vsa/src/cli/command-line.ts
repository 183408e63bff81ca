import { type ParseArgsConfig, parseArgs } from 'node:util'
import { invariant } from '../core/errors.ts'
import { type Command, type Flag, type Invocation, type ValueOption, UsageError, spellingOf } from './command.ts'
import { counted } from './format.ts'
import { nearest } from '../core/nearest.ts'

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly command: Command; readonly invocation: Invocation }
  /** Help of one command, or of the program. `isAsked` is false when nothing was typed at all. */
  | { readonly kind: 'help'; readonly command?: Command; readonly isAsked: boolean }
  | { readonly kind: 'version' }

export const HELP: Flag = { kind: 'flag', name: 'help', short: 'h', help: 'show this help' }
export const VERSION: Flag = { kind: 'flag', name: 'version', short: 'V', help: 'show the version' }
const GLOBAL_FLAGS: readonly Flag[] = [HELP, VERSION]

/** @throws UsageError for anything that is not understood */
export function parseCommandLine(commands: readonly Command[], args: readonly string[]): Request {
  const [first, ...rest] = args
  if (first === undefined) return { kind: 'help', isAsked: false }
  if (first === 'help') return helpOn(commands, rest[0])
  if (first.startsWith('-')) return globalRequest(first)
  return commandRequest(commandNamed(commands, first), rest)
}

function helpOn(commands: readonly Command[], name: string | undefined): Request {
  return name === undefined
    ? { kind: 'help', isAsked: true }
    : { kind: 'help', command: commandNamed(commands, name), isAsked: true }
}

function globalRequest(typed: string): Request {
  const flag = GLOBAL_FLAGS.find(({ name, short }) => typed === `--${name}` || typed === `-${short}`)
  if (flag === undefined) throw unknownOption(typed, 'vsa', GLOBAL_FLAGS)
  return flag === HELP ? { kind: 'help', isAsked: true } : { kind: 'version' }
}

function commandNamed(commands: readonly Command[], name: string): Command {
  const command = commands.find((command) => command.name === name)
  if (command !== undefined) return command
  const names = commands.filter(({ isHidden }) => isHidden !== true).map((command) => command.name)
  const near = nearest(name, names)
  throw new UsageError(
    `unknown command '${name}'${near === undefined ? `; the commands are ${names.join(', ')}` : `; did you mean '${near}'?`}`,
  )
}

function commandRequest(command: Command, args: readonly string[]): Request {
  const typed = typedIn(command, args)
  if (typed.flags.has(HELP.name)) return { kind: 'help', command, isAsked: true }
  checkOperands(command, typed.operands)
  return { kind: 'run', command, invocation: invocationOf(command, typed) }
}

/** What was typed, by name; arguments are not parsed yet. */
interface Typed {
  readonly flags: Set<string>
  readonly values: Map<string, string>
  readonly operands: string[]
}

function typedIn(command: Command, args: readonly string[]): Typed {
  const options = [...command.options, HELP]
  const typed: Typed = { flags: new Set(), values: new Map(), operands: [] }
  // Not strict: the messages of `parseArgs` do not name the nearest option. The tokens are checked here.
  const { tokens } = parseArgs({ args: [...args], options: configOf(options), strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'positional') typed.operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.find(({ name }) => name === token.name)
    if (option === undefined) throw unknownOption(token.rawName, `vsa ${command.name}`, options, AFTER_DASHES)
    noteOption(typed, option, token.value)
  }
  return typed
}

type ParserConfig = NonNullable<ParseArgsConfig['options']>

function configOf(options: readonly (Flag | ValueOption<unknown>)[]): ParserConfig {
  const config: ParserConfig = {}
  for (const option of options) {
    if (option.kind === 'value') config[option.name] = { type: 'string' }
    else config[option.name] = { type: 'boolean', ...(option.short === undefined ? {} : { short: option.short }) }
  }
  return config
}

function noteOption({ flags, values }: Typed, option: Flag | ValueOption<unknown>, value: string | undefined): void {
  if (option.kind === 'flag') {
    if (value !== undefined) throw new UsageError(`option '--${option.name}' takes no argument, got '${value}'`)
    flags.add(option.name)
  } else {
    if (value === undefined) throw new UsageError(`option '${spellingOf(option)}' needs an argument`)
    values.set(option.name, value)
  }
}

/** A key may be `-1`. */
const AFTER_DASHES = "; what begins with '-' and is no option goes after '--'"

/** @param more said where no option is near */
function unknownOption(
  typed: string,
  program: string,
  options: readonly (Flag | ValueOption<unknown>)[],
  more = '',
): UsageError {
  const known = options.map(({ name }) => `--${name}`)
  const near = nearest(typed, known)
  const hint = near === undefined ? `it takes ${known.join(', ')}${more}` : `did you mean '${near}'?`
  return new UsageError(`unknown option '${typed}' of '${program}'; ${hint}`)
}

function checkOperands({ name, operands }: Command, typed: readonly string[]): void {
  const missing = operands.find(({ isRequired }, at) => isRequired && typed[at] === undefined)
  if (missing !== undefined) {
    throw new UsageError(`missing argument <${missing.name}> of 'vsa ${name}': ${missing.help}`)
  }
  if (typed.length > operands.length) {
    throw new UsageError(`'vsa ${name}' takes at most ${counted(operands.length, 'argument')}, got ${typed.length}`)
  }
}

function invocationOf({ operands }: Command, typed: Typed): Invocation {
  const optionalOperand: Invocation['optionalOperand'] = ({ name }) =>
    typed.operands[operands.findIndex((operand) => operand.name === name)]
  return {
    optionalOperand,
    operand: (operand) => {
      const text = optionalOperand(operand)
      invariant(text !== undefined, `${operand.name} is not a required operand of the command`)
      return text
    },
    value: (option) => {
      const text = typed.values.get(option.name)
      return text === undefined ? option.default : parsed(option, text)
    },
    isSet: ({ name }) => typed.flags.has(name),
  }
}

function parsed<T>(option: ValueOption<T>, text: string): T {
  try {
    return option.parse(text)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`option '${spellingOf(option)}': ${error.message}`)
  }
}
