import { assertSchema } from '../../stores/postgres/schema-name.ts'
import { UsageError } from '../command.ts'

/** The parts of a Postgres URL. */
export interface PostgresAddress {
  /** For the driver: without `schema`, and otherwise as it was typed. May have a password. */
  readonly url: string
  readonly schema: string
  /** For texts: the URL without its password. */
  readonly name: string
}

const DEFAULT_SCHEMA = 'vsa'
const FORM = 'postgres://USER@HOST:PORT/DATABASE?schema=NAME'
/** Query parameters that are not printed. */
const SECRET = /pass|secret|token/i

/**
 * Takes a Postgres URL apart. What the driver gets is not written anew, so that it means to the driver what it would mean without `schema`.
 * @throws UsageError, whose message has no part of the URL but the name of the schema
 */
export function postgresAddress(address: string): PostgresAddress {
  const { before, query, rest } = partsOf(address)
  assertUrl(before)
  const schema = schemaIn(query.filter((pair) => nameIn(pair) === 'schema'))
  const others = query.filter((pair) => nameIn(pair) !== 'schema')
  const shown = query.filter((pair) => !SECRET.test(nameIn(pair)))
  return { url: joined(before, others) + rest, schema, name: joined(withoutPassword(before), shown) }
}

interface Parts {
  /** Scheme, user, host and path. */
  readonly before: string
  /** Pairs, as they were typed. */
  readonly query: readonly string[]
  /** A fragment with its `#`, or nothing. */
  readonly rest: string
}

/** An `@` behind the host would show that a password was cut at its `/`, `?` or `#`: a part of it would be printed. */
function partsOf(address: string): Parts {
  const [, scheme = '', host = '', behind = ''] = /^(postgres(?:ql)?:\/\/)([^/?#]*)(.*)$/is.exec(address) ?? []
  if (scheme === '') throw new UsageError(`a Postgres store is ${FORM}`)
  if (behind.includes('@'))
    throw new UsageError(
      `the Postgres URL has an @ behind its host: write / as %2F, ? as %3F and # as %23 in a password, and @ as %40 elsewhere`,
    )
  const [, path = '', query = '', rest = ''] = /^([^?#]*)(?:\?([^#]*))?(.*)$/s.exec(behind) ?? []
  return { before: scheme + host + path, query: query.split('&').filter((pair) => pair !== ''), rest }
}

/** As the driver reads it: the host may be missing behind a user, where a parameter `host` names a socket. */
function assertUrl(before: string): void {
  if (URL.canParse(before) || URL.canParse(before.replace('@/', '@localhost/'))) return
  throw new UsageError(`the Postgres URL cannot be read: write it as ${FORM}, with %XX for special characters`)
}

function nameIn(pair: string): string {
  return [...new URLSearchParams(pair).keys()][0] ?? ''
}

function schemaIn(pairs: readonly string[]): string {
  if (pairs.length > 1) throw new UsageError('the Postgres URL names more than one schema')
  const [pair] = pairs
  const schema = pair === undefined ? DEFAULT_SCHEMA : new URLSearchParams(pair).get('schema')
  try {
    assertSchema(schema)
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    throw new UsageError(`the Postgres URL: ${error.message.replace('options.schema', 'schema')}`, { cause: error })
  }
  // `assertSchema` refuses null.
  return schema ?? DEFAULT_SCHEMA
}

/** The password ends at the last `@` of the host. */
function withoutPassword(before: string): string {
  return before.replace(/^([^:]+:\/\/[^/:]*):[^/]*@/, '$1@')
}

function joined(before: string, query: readonly string[]): string {
  return query.length === 0 ? before : `${before}?${query.join('&')}`
}
