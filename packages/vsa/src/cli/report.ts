/** The result of a command: the same facts as JSON and as text. */
export interface Report {
  /** Whether every check passed. If not, the command exits with 1. */
  readonly ok: boolean
  /** One JSON document. */
  readonly json: unknown
  /** Text for a terminal. */
  readonly text: string
}

/** The command could not do its work. The command line prints the code and exits with 2. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What stores say of failures that a service survives. A command ends with them. */
const AGAIN = '; it will be tried again'

/** The message of a thrown value, and its stable code where it has one. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: 'error', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'error'
  return { code, message: error.message.replace(AGAIN, '') }
}
