import { InvariantError } from '../../core/errors.ts'

/** What `read` returns, or a text that says which value cannot be read. @throws the errors of the store */
export function unlessUnreadable<T extends object>(read: () => T): T | string {
  try {
    return read()
  } catch (error) {
    return unreadable(error)
  }
}

/** As `unlessUnreadable`. */
export async function unlessUnreadableLater<T extends object>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read()
  } catch (error) {
    return unreadable(error)
  }
}

function unreadable(error: unknown): string {
  // An outcome that is no JSON is a value of the store, too.
  if (!(error instanceof InvariantError || error instanceof SyntaxError)) throw error
  return error.message
}
