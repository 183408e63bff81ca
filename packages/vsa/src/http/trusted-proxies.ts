import ipaddr from 'ipaddr.js'
import { bareAddress } from './address-key.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Those before the IPv4 address in `::ffff:10.0.0.0/104`. */
const MAPPED_BITS = 96
/** The most proxies between the app and the internet. */
export const HOPS_MAX = 32

/** Whether the peer at `hop` (0 is the other end of the socket) with this address is one of ours. */
export type IsTrusted = (address: string, hop: number) => boolean

/** @throws TypeError, RangeError that name the option */
export function trustedProxies(trustProxy: unknown): IsTrusted {
  if (trustProxy === undefined || trustProxy === false) return () => false
  if (trustProxy === true)
    throw new TypeError(
      'options.trustProxy must not be true: then every client could choose its address. Give the addresses of your proxies, or how many there are',
    )
  if (typeof trustProxy === 'number') return trustedHops(trustProxy)
  if (!Array.isArray(trustProxy))
    throw new TypeError('options.trustProxy must be false, a number of proxies, or a list of addresses and prefixes')
  const networks = trustProxy.map((entry: unknown, at) => networkFrom(entry, at))
  return (address) => networks.some(([network, bits]) => isWithin(address, network, bits))
}

function trustedHops(hops: number): IsTrusted {
  if (!Number.isInteger(hops) || hops < 0 || hops > HOPS_MAX)
    throw new RangeError(`options.trustProxy must be a whole number from 0 to ${HOPS_MAX}, got ${hops}`)
  return (_address, hop) => hop < hops
}

function networkFrom(entry: unknown, at: number): readonly [Address, number] {
  const name = `options.trustProxy[${at}]`
  if (typeof entry !== 'string') throw new TypeError(`${name} must be an address or a prefix such as 10.0.0.0/8`)
  if (bareAddress(entry) === entry) {
    const address = ipaddr.process(entry)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  }
  const [address = ''] = entry.split('/')
  if (bareAddress(address) !== address || !ipaddr.isValidCIDR(entry))
    throw new TypeError(`${name} must be an address or a prefix such as 10.0.0.0/8, got ${JSON.stringify(entry)}`)
  const [network, bits] = unmapped(ipaddr.parseCIDR(entry))
  if (bits <= 0)
    throw new RangeError(`${name} must not be the whole internet: then every client could choose its address`)
  return [network, bits]
}

/** An IPv4 network that is written in IPv6: clients of it have IPv4 addresses. */
function unmapped([network, bits]: readonly [Address, number]): readonly [Address, number] {
  return network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress()
    ? [network.toIPv4Address(), bits - MAPPED_BITS]
    : [network, bits]
}

function isWithin(address: string, network: Address, bits: number): boolean {
  const parsed = ipaddr.process(address)
  return parsed.kind() === network.kind() && parsed.match(network, bits)
}
