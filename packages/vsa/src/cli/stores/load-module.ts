import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CommandError } from '../report.ts'

/** Loads a module by its name. */
export type Load = (name: string) => Promise<unknown>

/** As seen from this package, or else from the working directory, where `npm install` has put it for `npx vsa`. */
export async function loadModule(name: string): Promise<unknown> {
  try {
    return await import(name)
  } catch (error) {
    if (!isMissing(error)) throw error
    const here = createRequire(join(process.cwd(), 'package.json'))
    return import(pathToFileURL(here.resolve(name)).href)
  }
}

/** Undefined for what has no members. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined
}

/** The module is not installed: that is no failure of it. */
export function isMissing(error: unknown): boolean {
  const code = memberOf(error, 'code')
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}

/** @param message says what to install */
export function driverMissing(message: string, cause: unknown): CommandError {
  const why = isMissing(cause) || !(cause instanceof Error) ? '' : ` (${cause.message})`
  return new CommandError('driver_missing', `${message}${why}`, { cause })
}
