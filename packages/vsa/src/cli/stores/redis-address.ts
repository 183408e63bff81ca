import { assertPrefix } from '../../stores/redis/prefix.ts'
import { assertStoreName, serverAddress, type AddressForm } from './server-address.ts'

/** The parts of a Redis URL. */
export interface RedisAddress {
  /** For the client: without `prefix`, and otherwise as it was typed. May have a password. */
  readonly url: string
  readonly prefix: string
  /** For texts: the URL without its password. */
  readonly name: string
}

const DEFAULT_PREFIX = 'vsa'
const FORM: AddressForm = {
  kind: 'Redis',
  scheme: /^rediss?:\/\//i,
  example: 'redis://USER@HOST:PORT/DATABASE?prefix=NAME',
  parameter: 'prefix',
  // A database has a number.
  isReadable: (before) => URL.canParse(before) && /^[^/]+\/\/[^/]+(?:\/\d*)?$/.test(before),
}

/** @throws UsageError, whose message has no part of the URL but the prefix */
export function redisAddress(address: string): RedisAddress {
  const { url, store: prefix = DEFAULT_PREFIX, name } = serverAddress(address, FORM)
  assertStoreName(FORM, () => assertPrefix(prefix))
  return { url, prefix, name }
}
