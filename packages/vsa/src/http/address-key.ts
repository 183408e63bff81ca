import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** What a customer of a provider usually gets, as express-rate-limit has it. */
export const IPV6_PREFIX: number = 56

const MAPPED = '::ffff:'

/**
 * The address as it counts for a limit: IPv4 as it is, IPv4 in IPv6 as IPv4, and of IPv6 the network of `ipv6Prefix` bits, because one client has
 * all addresses of it. A port, brackets and a zone are left out. Null: it is no address.
 * @param ipv6Prefix 32 to 128, default 56
 */
export function addressKey(address: string | undefined, ipv6Prefix: number = IPV6_PREFIX): string | null {
  if (address === undefined) return null
  if (isIPv4(address)) return address
  const bare = bareAddress(address)
  if (bare === null || isIPv4(bare)) return bare
  // Node writes IPv4 clients of a server that listens on `::` so.
  if (bare.startsWith(MAPPED) && isIPv4(bare.slice(MAPPED.length))) return bare.slice(MAPPED.length)
  const parsed = ipaddr.process(bare)
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${ipv6Prefix}`).toString()}/${ipv6Prefix}`
}

/** The address alone. Null: it is none. */
export function bareAddress(written: string): string | null {
  if (isIPv4(written)) return written
  const [, inBrackets, withPort] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(written) ?? []
  const address = (inBrackets ?? withPort ?? written).replace(/%[\w.-]*$/, '')
  return isIPv4(address) || isIPv6(address) ? address : null
}
