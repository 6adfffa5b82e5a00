// Addresses are numbers, written in one way only: what another reader could read otherwise is no address.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { networkContains, parseIp, parseNetwork } from '../../../src/policy/network.ts'

const contains = (block: string, address: string): boolean | undefined => {
  const [network, bytes] = [parseNetwork(block), parseIp(address)]
  return network === undefined || bytes === undefined ? undefined : networkContains(network, bytes)
}

describe('a block', () => {
  it.each([
    ['10.8.0.0/16', '10.8.255.255', true],
    ['10.8.0.0/16', '10.9.0.0', false],
    ['10.8.0.0/16', '::ffff:10.8.0.1', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::/0', '2001:db8::1', true],
  ])('%s contains %s: %s', (block, address, expected) => {
    expect(contains(block, address)).toBe(expected)
  })

  it.each([
    '10.8.0.1/16',
    '10.8.0.0/33',
    '10.8.0.0/-1',
    '10.8.0.0/',
    '10.8.0.0/08x',
    '10.8.0.0/16/8',
    '10.8/16',
    '2001:db8::1/32',
    '::ffff:0:0/96',
    '::/129',
    'vpn',
    '',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeUndefined()
  })
})

describe('an address', () => {
  it.each([
    '010.0.0.1',
    '0x7f.0.0.1',
    '127.1',
    '2130706433',
    '1.2.3.4.5',
    '1.2.3',
    '256.0.0.1',
    '1.2.3.-4',
    '1.2.3.4 ',
    '[::1]',
    '::1%eth0',
    '1::2::3',
    ':::',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::ffff:1.2.3.256',
    '::1.2.3.4.5',
    '',
  ])('is not %j', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it('lies in its own block and in every wider one', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
        const bytes = parseIp(address)!
        const masked = bytes.map(
          (byte, index) => byte & (0xff << Math.max(0, 8 - Math.max(0, bits - index * 8))) & 0xff,
        )
        expect(contains(`${masked.join('.')}/${bits}`, address)).toBe(true)
      }),
    )
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        // A zone or an embedded IPv4 form is another matter.
        if (/^[0-9a-f:]+$/i.test(address)) expect(contains(address, address)).toBe(true)
      }),
    )
  })
})
