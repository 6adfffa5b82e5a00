// The ID token speaks first, UserInfo fills the gaps, and `verified` belongs to the address that it stands beside.
import { describe, expect, it } from 'vitest'
import { lacksClaims, takeClaims } from '../../../src/signin/session-claims.ts'

const MAPPING = { email: 'email', groups: 'roles', name: 'name' }

describe('which of the two sources speaks', () => {
  it('the ID token wins where both have a claim, and nothing that is not wanted is taken', () => {
    const taken = takeClaims(
      { roles: ['eng'], name: 'Ada', extra: 1 },
      { roles: ['sre'], name: 'Root', email: 'ada@example.com' },
      MAPPING,
      ['groups', 'email'],
    )
    expect(Object.entries(taken.claims)).toEqual([
      ['groups', ['eng']],
      ['email', 'ada@example.com'],
    ])
    expect(taken.cut).toEqual([])
  })

  it('a claim that the ID token says is elsewhere stays cut, whatever UserInfo has', () => {
    const taken = takeClaims({ _claim_names: { roles: 'a' } }, { roles: ['sre'] }, MAPPING, ['groups'])
    expect(taken).toMatchObject({ claims: {}, cut: ['groups'] })
  })

  it('a wanted name that the provider may not assert is neither asked for nor taken', () => {
    expect(lacksClaims({ email_verified: true }, MAPPING, ['department'])).toBe(false)
    expect(takeClaims({ department: 'x' }, undefined, MAPPING, ['department']).claims).toEqual({})
  })

  it('UserInfo is asked where something wanted is missing, the word about the address included', () => {
    expect(lacksClaims({ roles: [] }, MAPPING, ['groups'])).toBe(false)
    expect(lacksClaims({ roles: null }, MAPPING, ['groups'])).toBe(true)
    expect(lacksClaims({ email: 'a@example.com' }, MAPPING, ['email'])).toBe(true)
    expect(lacksClaims({ email: 'a@example.com', email_verified: false }, MAPPING, ['email'])).toBe(false)
  })

  it('a claim named __proto__ is a claim and changes nothing else', () => {
    const hostile: Record<string, unknown> = JSON.parse('{"__proto__": {"groups": ["sre"]}, "x": "y"}')
    const taken = takeClaims(hostile, undefined, { groups: 'groups', x: 'x' }, ['groups', 'x'])
    expect(Object.entries(taken.claims)).toEqual([['x', 'y']])
  })
})

describe('a verified address', () => {
  const verified = (idToken: object, userInfo?: object): boolean =>
    takeClaims({ ...idToken }, userInfo === undefined ? undefined : { ...userInfo }, MAPPING, ['email'])
      .emailVerified

  it.each([
    ['by the ID token', { email: 'a@x.org', email_verified: true }, undefined, true],
    ['not by a word that is no boolean', { email: 'a@x.org', email_verified: 'true' }, undefined, false],
    ['not when nobody says so', { email: 'a@x.org' }, undefined, false],
    ['by UserInfo, with the address', {}, { email: 'a@x.org', email_verified: true }, true],
    [
      'by UserInfo, of the same address',
      { email: 'a@x.org' },
      { email: 'a@x.org', email_verified: true },
      true,
    ],
    ['not by UserInfo, of another', { email: 'b@x.org' }, { email: 'a@x.org', email_verified: true }, false],
    [
      'not by UserInfo against the ID token',
      { email: 'a@x.org', email_verified: false },
      { email: 'a@x.org', email_verified: true },
      false,
    ],
    [
      'not by the ID token for the address of UserInfo',
      { email_verified: true },
      { email: 'a@x.org' },
      false,
    ],
  ])('%s', (_, idToken, userInfo, expected) => {
    expect(verified(idToken, userInfo)).toBe(expected)
  })
})
