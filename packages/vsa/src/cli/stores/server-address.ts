import { UsageError } from '../command.ts'

/** How the URLs of one kind of store are written. */
export interface AddressForm {
  /** For texts: `Postgres`. */
  readonly kind: string
  /** With its `://`, at the begin. */
  readonly scheme: RegExp
  readonly example: string
  /** The query parameter that names the store on its server. */
  readonly parameter: string
  /** Whether scheme, user, host and path can be read. */
  isReadable(before: string): boolean
}

/** The parts of the URL of a server. */
export interface ServerAddress {
  /** For the driver: without the parameter, and otherwise as it was typed. May have a password. */
  readonly url: string
  /** Of the parameter; undefined where it is missing. */
  readonly store: string | undefined
  /** For texts: the URL without its password. */
  readonly name: string
}

/** Query parameters that are not printed. */
const SECRET = /pass|secret|token/i

/**
 * Takes a URL apart. What the driver gets is not written anew, so that it means to the driver what it would mean without the parameter.
 * @throws UsageError, whose message has no part of the URL
 */
export function serverAddress(address: string, form: AddressForm): ServerAddress {
  const { before, query, rest } = partsOf(address, form)
  const { kind, parameter, example } = form
  if (!form.isReadable(before))
    throw new UsageError(`the ${kind} URL cannot be read: write it as ${example}, with %XX for special characters`)
  const named = query.filter((pair) => nameIn(pair) === parameter)
  if (named.length > 1) throw new UsageError(`the ${kind} URL names more than one ${parameter}`)
  const others = query.filter((pair) => nameIn(pair) !== parameter)
  const shown = query.filter((pair) => !SECRET.test(nameIn(pair)))
  const [pair] = named
  return {
    url: joined(before, others) + rest,
    store: pair === undefined ? undefined : (new URLSearchParams(pair).get(parameter) ?? undefined),
    name: joined(withoutPassword(before), shown),
  }
}

/** What `check` throws of `options.NAME`, as a UsageError of the URL's parameter. */
export function assertStoreName({ kind, parameter }: AddressForm, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    const message = error.message.replace(`options.${parameter}`, parameter)
    throw new UsageError(`the ${kind} URL: ${message}`, { cause: error })
  }
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
function partsOf(address: string, { kind, scheme, example }: AddressForm): Parts {
  const begin = scheme.exec(address)?.[0]
  if (begin === undefined) throw new UsageError(`a ${kind} store is ${example}`)
  const [, host = '', behind = ''] = /^([^/?#]*)(.*)$/s.exec(address.slice(begin.length)) ?? []
  if (behind.includes('@'))
    throw new UsageError(
      `the ${kind} URL has an @ behind its host: write / as %2F, ? as %3F and # as %23 in a password, and @ as %40 elsewhere`,
    )
  const [, path = '', query = '', rest = ''] = /^([^?#]*)(?:\?([^#]*))?(.*)$/s.exec(behind) ?? []
  return { before: begin + host + path, query: query.split('&').filter((pair) => pair !== ''), rest }
}

function nameIn(pair: string): string {
  return [...new URLSearchParams(pair).keys()][0] ?? ''
}

/** The password ends at the last `@` of the host. */
function withoutPassword(before: string): string {
  return before.replace(/^([^:]+:\/\/[^/:]*):[^/]*@/, '$1@')
}

function joined(before: string, query: readonly string[]): string {
  return query.length === 0 ? before : `${before}?${query.join('&')}`
}
