import { describe, expect, test, vi } from 'vitest'
import { addressKey } from '../../src/http/address-key.ts'
import { ClientAddress } from '../../src/http/client-address.ts'
import { ForwardedWarning } from '../../src/http/forwarded-warning.ts'

const NETWORK = '2001:db8:aa:bb00::/56'

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:443', '203.0.113.7'],
  ['[2001:db8:aa:bbcc::1]:443', NETWORK],
  ['[2001:db8:aa:bbcc::1]', NETWORK],
  ['2001:db8:aa:bbcc::1', NETWORK],
  ['2001:0DB8:00aa:bb01:0:0:0:9', NETWORK],
  ['fe80::1%eth0', 'fe80::/56'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['::1', '::/56'],
])('the address %s counts as %s', (written, counted) => {
  expect(addressKey(written)).toBe(counted)
})

test.each([
  '',
  'unknown',
  '_hidden',
  '1.2.3',
  '1.2.3.4.5',
  '0x7f.1',
  '256.1.1.1',
  '1',
  '1.2.3.4:',
  '[::1',
  '::g',
  ' 1.2.3.4',
])('%j is no address', (written) => {
  expect(addressKey(written)).toBeNull()
})

test.each([
  [32, '2001:db8::/32'],
  [48, '2001:db8:aa::/48'],
  [57, '2001:db8:aa:bb80::/57'],
  [128, '2001:db8:aa:bbcc::1/128'],
])('ipv6Prefix %i', (ipv6Prefix, counted) => {
  expect(new ClientAddress({ ipv6Prefix }).of({ remoteAddress: '2001:db8:aa:bbcc::1', forwardedFor: undefined })).toBe(
    counted,
  )
})

test.each([31, 129, 56.5, Number.NaN])('ipv6Prefix %d is refused', (ipv6Prefix) => {
  expect(() => new ClientAddress({ ipv6Prefix })).toThrow('options.ipv6Prefix must be a whole number from 32 to 128')
})

test.each([undefined, ''])(
  'a request without an address (%j) is refused, not counted with all others of its kind',
  (remoteAddress) => {
    const refused = expect(() => new ClientAddress({}).of({ remoteAddress, forwardedFor: '1.2.3.4' }))
    refused.toThrow(expect.objectContaining({ code: 'address_missing', statusCode: 500 }))
  },
)

describe('X-Forwarded-For', () => {
  test.each<[string, ConstructorParameters<typeof ClientAddress>[0]['trustProxy'], string, string | undefined, string]>(
    [
      ['is not believed by default', undefined, '10.0.0.1', '203.0.113.7', '10.0.0.1'],
      ['of a proxy that is not trusted', ['10.0.0.2'], '10.0.0.1', '203.0.113.7', '10.0.0.1'],
      ['of a trusted address', ['10.0.0.1'], '10.0.0.1', '203.0.113.7', '203.0.113.7'],
      [
        'of a trusted address that the socket has as IPv6',
        ['10.0.0.1'],
        '::ffff:10.0.0.1',
        '203.0.113.7',
        '203.0.113.7',
      ],
      ['of a trusted prefix of IPv4 in IPv6', ['::ffff:10.0.0.0/104'], '10.0.0.1', '203.0.113.7', '203.0.113.7'],
      ['of a trusted prefix of IPv6', ['fd00::/8'], 'fd12::1', '203.0.113.7:9', '203.0.113.7'],
      ['is read from the right', ['10.0.0.0/8'], '10.0.0.1', '6.6.6.6, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
      ['with trusted addresses alone: the farthest', ['10.0.0.0/8'], '10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
      ['of one hop', 1, '10.0.0.1', '6.6.6.6, 203.0.113.7', '203.0.113.7'],
      ['of two hops', 2, '10.0.0.1', '6.6.6.6, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
      ['that is shorter than the hops: the farthest', 3, '10.0.0.1', '203.0.113.7', '203.0.113.7'],
      ['that is not there', 1, '10.0.0.1', undefined, '10.0.0.1'],
      ['that is empty', 1, '10.0.0.1', '', '10.0.0.1'],
      ['of no hops', 0, '10.0.0.1', '203.0.113.7', '10.0.0.1'],
      [
        'with junk that no trusted proxy wrote',
        ['10.0.0.1'],
        '10.0.0.1',
        `${'x'.repeat(100_000)}, 203.0.113.7`,
        '203.0.113.7',
      ],
    ],
  )('%s', (_what, trustProxy, remoteAddress, forwardedFor, address) => {
    const addresses = new ClientAddress(trustProxy === undefined ? {} : { trustProxy })
    expect(addresses.of({ remoteAddress, forwardedFor })).toBe(address)
  })

  const hops = (count: number): string => Array.from({ length: count }, () => '10.0.0.2').join(', ')

  test('32 trusted hops are followed, and one more is refused', () => {
    const addresses = new ClientAddress({ trustProxy: ['10.0.0.0/8'] })
    const of = (count: number): string =>
      addresses.of({ remoteAddress: '10.0.0.1', forwardedFor: `203.0.113.7, ${hops(count)}` })
    expect(of(31)).toBe('203.0.113.7')
    expect(() => of(32)).toThrow(expect.objectContaining({ code: 'address_invalid', statusCode: 400 }))
  })

  test.each(['unknown', '203.0.113.7,', 'x'.repeat(100_000), 'x'.repeat(81)])(
    '%s of a trusted proxy is refused',
    (forwardedFor) => {
      const refused = expect(() => new ClientAddress({ trustProxy: 1 }).of({ remoteAddress: '10.0.0.1', forwardedFor }))
      refused.toThrow(expect.objectContaining({ code: 'address_invalid', statusCode: 400 }))
    },
  )
})

test.each([
  [true, 'options.trustProxy must not be true'],
  ['loopback', 'options.trustProxy must be false, a number of proxies, or a list'],
  [-1, 'options.trustProxy must be a whole number from 0 to 32'],
  [33, 'options.trustProxy must be a whole number from 0 to 32'],
  [['10.0.0.0/33'], 'options.trustProxy[0] must be an address or a prefix'],
  [['10.0.0.1', '10/8'], 'options.trustProxy[1] must be an address or a prefix'],
  [['proxy.local'], 'options.trustProxy[0] must be an address or a prefix'],
  [[10], 'options.trustProxy[0] must be an address or a prefix'],
  [['0.0.0.0/0'], 'options.trustProxy[0] must not be the whole internet'],
  [['::/0'], 'options.trustProxy[0] must not be the whole internet'],
])('trustProxy %j is refused', (trustProxy, message) => {
  expect(() => new ClientAddress({ trustProxy: trustProxy as number })).toThrow(message)
})

test('32 hops may be trusted', () => {
  expect(() => new ClientAddress({ trustProxy: 32 })).not.toThrow()
})

test('a header of a proxy that is not believed is warned of once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const warning = new ForwardedWarning()
  warning.look({ remoteAddress: '10.0.0.1', forwardedFor: undefined })
  expect(warn).not.toHaveBeenCalled()
  for (const _time of [1, 2]) warning.look({ remoteAddress: '10.0.0.1', forwardedFor: '1.2.3.4' })
  expect(warn.mock.calls).toEqual([[expect.stringContaining('a request from 10.0.0.1 has X-Forwarded-For')]])
  warn.mockRestore()
})
