import { describe, expect, it } from 'vitest'
import { parseNetwork } from '../../../src/policy/network.ts'
import { Secret } from '../../../src/policy/secret.ts'
import { makeJudgePeer, makeKeyCheck, refusePeer } from '../../../src/proxy/trusted-peer.ts'

const networks = (...texts: readonly string[]) =>
  texts.map(parseNetwork).filter((network) => network !== undefined)

describe('a peer without a key to show', () => {
  const judge = makeJudgePeer({ trusted: networks('10.8.0.0/16', '2001:db8::/32', '::1'), key: undefined })

  it.each(['10.8.3.4', '::ffff:10.8.3.4', '::1', '2001:db8::7'])('is trusted at %s', (address) => {
    expect(judge(address, []).kind).toBe('trusted')
    // A second time from what is remembered.
    expect(judge(address, []).kind).toBe('trusted')
  })

  it.each(['10.9.0.1', '::ffff:10.9.0.1', '127.0.0.1', '::2', 'a', '', '10.8.3.4:1', undefined])(
    'is not trusted at %s',
    (address) => {
      expect(judge(address, []).kind).toBe('untrusted')
      expect(judge(address, ['X-Forwarded-For', '10.8.3.4', 'X-Real-IP', '10.8.3.4']).kind).toBe('untrusted')
    },
  )

  it('is told apart after any number of others', () => {
    for (let index = 0; index < 1000; index += 1)
      expect(judge(`192.0.${index >> 8}.${index & 255}`, []).kind).toBe('untrusted')
    expect(judge('10.8.3.4', []).kind).toBe('trusted')
  })
})

it('trusts nobody where no network is listed', () => {
  const judge = makeJudgePeer({ trusted: [], key: undefined })
  expect(judge('127.0.0.1', []).kind).toBe('untrusted')
})

describe('a configured key', () => {
  const judge = makeJudgePeer({ trusted: networks('127.0.0.1'), key: new Secret('right') })

  it('is required from a trusted address too', () => {
    expect(judge('127.0.0.1', ['x-postern-KEY', 'right']).kind).toBe('trusted')
    expect(judge('127.0.0.1', []).kind).toBe('untrusted')
  })

  it('opens nothing at another address', () => {
    expect(judge('192.0.2.1', ['X-Postern-Key', 'right']).kind).toBe('untrusted')
  })

  it.each([
    ['X-Postern-Key', 'wrong'],
    ['X-Postern-Key', ''],
    ['X-Postern-Key', 'right '],
    ['X_Postern_Key', 'right'],
    ['X-Other', 'X-Postern-Key'],
    ['X-Postern-Key', 'right', 'X-Postern-Key', 'right'],
    ['X-Postern-Key', 'wrong', 'x-postern-key', 'right'],
    ['X-Postern-Key'],
  ])('is not shown by %s: %s %s %s', (...rawHeaders) => {
    expect(judge('127.0.0.1', rawHeaders).kind).toBe('untrusted')
    expect(makeKeyCheck(new Secret('right'))(rawHeaders)).toBe(false)
  })

  it('is not in the reason of a refusal', () => {
    const verdict = judge('127.0.0.1', ['X-Postern-Key', 'guessed-key'])
    const refusal = refusePeer('nginx', verdict.kind === 'untrusted' ? verdict.why : '')
    expect(refusal).toMatchObject({ status: 403, reason: 'DENY_UNTRUSTED_CALLER' })
    expect(JSON.stringify(refusal)).not.toMatch(/guessed-key|`right`|"right"/)
  })
})
