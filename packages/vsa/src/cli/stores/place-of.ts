import { nearest } from '../../core/nearest.ts'
import { ADDRESS_HELP } from '../address-help.ts'
import { UsageError } from '../command.ts'
import { postgresPlace } from './postgres-place.ts'
import { redisPlace } from './redis-place.ts'
import { sqlitePlace } from './sqlite-place.ts'
import type { StorePlace } from './store-place.ts'

/**
 * The kinds of stores by the scheme of their addresses: a new kind is one more line. Each function gets the whole address, and throws a UsageError
 * without it where it is wrong, because it may have a password.
 */
const KINDS: ReadonlyMap<string, (address: string) => StorePlace> = new Map([
  ['sqlite', (address) => sqlitePlace(address, address.slice('sqlite:'.length))],
  ['postgres', postgresPlace],
  ['postgresql', postgresPlace],
  ['redis', redisPlace],
  ['rediss', redisPlace],
])

/**
 * The place that an address names: `sqlite:PATH`, a bare path, or a URL of a server.
 * @throws UsageError for a URL of another kind, or one that cannot be understood; the message has no password
 */
export function placeOf(address: string): StorePlace {
  const { scheme, isUrl } = schemeOf(address)
  const kind = scheme === undefined ? undefined : KINDS.get(scheme)
  if (kind !== undefined) return kind(address)
  if (scheme !== undefined && isUrl) throw unknownKind(scheme)
  return sqlitePlace(address, address)
}

/** The part before the first colon, in lower case. One letter is a drive of Windows. */
function schemeOf(address: string): { readonly scheme?: string; readonly isUrl: boolean } {
  const [, scheme, slashes] = /^([a-z][a-z0-9+.-]+):(\/\/)?/i.exec(address) ?? []
  return scheme === undefined ? { isUrl: false } : { scheme: scheme.toLowerCase(), isUrl: slashes !== undefined }
}

function unknownKind(scheme: string): UsageError {
  const known = [...KINDS.keys()]
  const near = nearest(scheme, known)
  const hint = near === undefined ? `a store is ${ADDRESS_HELP}` : `did you mean '${near}:'?`
  return new UsageError(`no kind of store has addresses of '${scheme}:'; ${hint}`)
}
