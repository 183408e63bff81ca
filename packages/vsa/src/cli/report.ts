/** What a command found: the same facts for programs and for people. */
export interface Report {
  /** Whether everything adds up; if not, the command exits with 1. */
  readonly ok: boolean
  /** One JSON document. */
  readonly json: unknown
  /** Lines for a person. */
  readonly text: string
}

/** A command that could not do its work. The command line prints its code and exits with 2. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What is told of an error, whoever threw it: its stable code where it has one. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: 'error', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'error'
  return { code, message: error.message }
}
