import type { Report } from './report.ts'

/** One command, described as data: the parser and the help texts read the same description. */
export interface Command {
  readonly name: string
  /** One sentence, for the list of commands and the top of the command's own help. */
  readonly summary: string
  /** In order; required ones first. */
  readonly operands: readonly Operand[]
  readonly options: readonly (Flag | ValueOption<unknown>)[]
  /** Hidden commands are not listed in the help. */
  readonly isHidden?: true
  /** Does the work. Null when there is nothing to print. */
  run(invocation: Invocation): Promise<Report | null>
}

/** An argument that is known by its place. */
export interface Operand {
  readonly name: string
  readonly help: string
  readonly isRequired: boolean
}

/** An option without an argument, such as `--json`. */
export interface Flag {
  readonly kind: 'flag'
  /** Without the dashes. */
  readonly name: string
  readonly short?: string
  readonly help: string
}

/** An option with an argument, such as `--limit <units>`. */
export interface ValueOption<T> {
  readonly kind: 'value'
  /** Without the dashes. */
  readonly name: string
  /** What the help calls the argument. */
  readonly value: string
  readonly help: string
  readonly default: T
  /** The default as it would be typed; absent when `help` says it. */
  readonly defaultText?: string
  /** @throws RangeError that says what was expected */
  parse(text: string): T
}

/** What was typed after the name of a command. */
export interface Invocation {
  /** A required operand. */
  operand(operand: Operand): string
  /** An operand that may be left out. */
  optionalOperand(operand: Operand): string | undefined
  /** The option's argument, or its default. @throws UsageError when the argument cannot be parsed */
  value<T>(option: ValueOption<T>): T
  isSet(flag: Flag): boolean
}

/** The command line was not understood. The message names what was typed; the command exits with 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
  readonly code = 'usage'
}

/** `--json`, or `--limit <units>`. */
export function spellingOf(option: Flag | ValueOption<unknown>): string {
  return option.kind === 'flag' ? `--${option.name}` : `--${option.name} <${option.value}>`
}

/** `<store>`, or `[key]` when it may be left out. */
export function operandSpelling({ name, isRequired }: Operand): string {
  return isRequired ? `<${name}>` : `[${name}]`
}
