import { addressKey, bareAddress, IPV6_PREFIX } from './address-key.ts'
import { RequestError } from './request-error.ts'
import { HOPS_MAX, trustedProxies, type IsTrusted } from './trusted-proxies.ts'

/** The longest address with brackets, a zone and a port. A longer entry is none. */
const ENTRY_LENGTH_MAX = 80

/** Addresses whose keys are kept, so that a client's next request parses nothing. */
const KEPT_MAX = 4_096

/** What is known of where a request came from. */
export interface RequestSource {
  /** The other end of the socket. */
  readonly remoteAddress: string | undefined
  /** `X-Forwarded-For`: several of them are one list. */
  readonly forwardedFor: string | undefined
}

export interface AddressOptions {
  readonly trustProxy?: false | number | readonly string[]
  readonly ipv6Prefix?: number
}

/** Finds the address that a request counts for. */
export class ClientAddress {
  readonly #isTrusted: IsTrusted
  readonly #ipv6Prefix: number
  readonly #trustsNone: boolean
  /** By what was written. */
  readonly #keys = new Map<string, string>()

  /** @throws TypeError, RangeError that name the option */
  constructor({ trustProxy, ipv6Prefix = IPV6_PREFIX }: AddressOptions) {
    if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 32 || ipv6Prefix > 128)
      throw new RangeError(`options.ipv6Prefix must be a whole number from 32 to 128, got ${ipv6Prefix}`)
    this.#isTrusted = trustedProxies(trustProxy)
    this.#trustsNone = trustProxy === undefined || trustProxy === false
    this.#ipv6Prefix = ipv6Prefix
  }

  /**
   * The nearest peer that is no trusted proxy; behind trusted ones alone, the farthest.
   * @throws RequestError `address_missing` where the socket has none, `address_invalid` for what a trusted proxy wrote and is none
   */
  of(source: RequestSource): string {
    const { remoteAddress } = source
    if (remoteAddress === undefined || remoteAddress === '') throw missing()
    if (this.#trustsNone) return this.#keyOf(remoteAddress)
    const { forwardedFor } = source
    if (forwardedFor === undefined || forwardedFor === '') return this.#keyOf(remoteAddress)
    return this.#keyOf(this.#walk(remoteAddress, forwardedFor))
  }

  /** From the right, which the nearest proxy wrote, and never further than the first address that is not trusted. */
  #walk(remoteAddress: string, forwardedFor: string): string {
    let peer = remoteAddress
    let end = forwardedFor.length
    for (let hop = 0; end >= 0 && this.#isTrusted(this.#read(peer), hop); hop += 1) {
      if (hop >= HOPS_MAX) throw invalid()
      const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
      if (end - comma > ENTRY_LENGTH_MAX) throw invalid()
      peer = forwardedFor.slice(comma + 1, end).trim()
      end = comma
    }
    return peer
  }

  #read(written: string): string {
    const address = bareAddress(written)
    if (address === null) throw invalid()
    return address
  }

  #keyOf(written: string): string {
    return this.#keys.get(written) ?? this.#keep(written)
  }

  #keep(written: string): string {
    const key = addressKey(written, this.#ipv6Prefix)
    if (key === null) throw invalid()
    if (written.length > ENTRY_LENGTH_MAX) return key
    if (this.#keys.size >= KEPT_MAX) this.#keys.clear()
    this.#keys.set(written, key)
    return key
  }
}

function missing(): RequestError {
  return new RequestError(
    'address_missing',
    'the request has no address: the socket is closed, or not one of TCP. Give the budget an id of its own with by',
  )
}

function invalid(): RequestError {
  return new RequestError(
    'address_invalid',
    'X-Forwarded-For, as a trusted proxy wrote it, or the address of the socket, is no address',
    400,
  )
}
