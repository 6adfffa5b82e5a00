import { validateHeaderValue } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClaimValue, Principal } from '../../../src/policy/principal.ts'
import type { IdentityHeaderNames } from '../../../src/policy/route.ts'
import { headerList, headerText } from '../../../src/proxy/header-text.ts'
import { IDENTITY_BUDGET_BYTES, identityHeaders, userOf } from '../../../src/proxy/identity-headers.ts'
import { buildRoute, person } from '../../support/policy-builder.ts'
import { headerMap } from './corridor.ts'

const NAMES: IdentityHeaderNames = {
  ...buildRoute({ route: 'app', hosts: ['app.example.com'], sections: [] }).identity,
  claims: { 'X-Department': 'dept' },
}
const SET = [
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Preferred-Username',
  'X-Postern-Assertion',
  'X-Department',
]

const withClaims = (claims: Readonly<Record<string, ClaimValue>>, over: Partial<Principal> = {}) =>
  person('u-1', [], { claims: new Map(Object.entries(claims)), ...over })

const written = (
  principal: Principal | undefined,
  over: Partial<Parameters<typeof identityHeaders>[0]> = {},
) => {
  const { headers, warnings } = identityHeaders({
    names: NAMES,
    principal,
    assertion: '',
    qualified: false,
    ...over,
  })
  const map = headerMap(headers)
  const one = (name: string): string | undefined => map.get(name)?.[0]
  return { headers, warnings, one, names: headers.filter((_, index) => index % 2 === 0) }
}

describe('the set', () => {
  it('is whole for a caller who has everything', () => {
    const claims = { email: 'a@example.com', groups: ['x', 'y'], preferred_username: 'anna', dept: 'ops' }
    const { headers } = written(withClaims(claims), { assertion: 'e30.e30.sig' })
    expect(headers).toEqual(
      [
        ['X-Auth-Request-User', 'u-1'],
        ['X-Auth-Request-Email', 'a@example.com'],
        ['X-Auth-Request-Groups', 'x,y'],
        ['X-Auth-Request-Preferred-Username', 'anna'],
        ['X-Postern-Assertion', 'e30.e30.sig'],
        ['X-Department', 'ops'],
      ].flat(),
    )
  })

  it('is whole and empty for a caller who is nobody', () => {
    const { headers } = written(undefined)
    expect(headers).toEqual(SET.flatMap((name) => [name, '']))
  })

  it('says that it is nobody where the proxy would keep the copy of an empty header', () => {
    const names = { ...NAMES, anonymousUser: 'anonymous' }
    expect(written(undefined, { names }).one('x-auth-request-user')).toBe('anonymous')
    expect(written(withClaims({}), { names }).one('x-auth-request-user')).toBe('u-1')
  })
})

describe('the user', () => {
  const mapped = (user: ClaimValue | undefined) =>
    withClaims(user === undefined ? {} : { user }, { assertable: new Set(['user']) })

  it('is the subject where the source maps no `user`', () => {
    expect(userOf(withClaims({}), false)).toBe('u-1')
  })

  it('is the mapped name, and nobody where the source did not assert it', () => {
    expect(userOf(mapped('anna'), false)).toBe('anna')
    expect(userOf(mapped(undefined), false)).toBe('')
    expect(userOf(mapped(['anna', 'root']), false)).toBe('')
  })

  it('carries its source where several are believed', () => {
    expect(userOf(mapped('anna'), true)).toBe('corp|u-1')
    expect(written(withClaims({}), { qualified: true }).one('x-auth-request-user')).toBe('corp|u-1')
  })
})

describe('groups', () => {
  const groupsOf = (groups: readonly string[], over: Partial<Principal> = {}) =>
    written(withClaims({ groups }, over))

  it('are never split or joined by a comma in a name', () => {
    expect(groupsOf(['a,b', 'c']).one('x-auth-request-groups')).toBe('a%2Cb,c')
    expect(groupsOf(['a%2Cb', 'c']).one('x-auth-request-groups')).toBe('a%252Cb,c')
  })

  it('are left out whole over the budget, with a warning, while the user stays', () => {
    const many = Array.from({ length: 500 }, (_, index) => `team-${index}`)
    const { one, warnings } = groupsOf(many)
    expect([one('x-auth-request-user'), one('x-auth-request-groups')]).toEqual(['u-1', ''])
    expect(warnings).toEqual([{ header: 'X-Auth-Request-Groups', why: 'over-budget' }])
    expect(groupsOf(many.slice(0, 100)).warnings).toEqual([])
  })

  it.each([{ groupsComplete: false }, { groupsTrimmed: true }, { cut: new Set(['groups']) }])(
    'are left out whole with %j',
    (over) => {
      const { one, warnings } = groupsOf(['a'], over)
      expect(one('x-auth-request-groups')).toBe('')
      expect(warnings).toEqual([{ header: 'X-Auth-Request-Groups', why: 'incomplete' }])
    },
  )
})

describe('text in a header', () => {
  it.each([
    ['anna', 'anna'],
    ['Anna Smith', 'Anna Smith'],
    ['\u03a9', '%CE%A9'],
    ['a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
    [' a ', '%20a%20'],
    [' ', '%20'],
    ['100%', '100%25'],
    ['a\u0000b\u007f', 'a%00b%7F'],
    ['caf\u00e9 \u{1f600}', 'caf%C3%A9 %F0%9F%98%80'],
    ['\ud800', '%EF%BF%BD'],
    ['', ''],
  ])('%j is written %s', (text, want) => {
    expect(headerText(text)).toBe(want)
  })

  it('decodes to what it was, so that no two subjects share a value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeURIComponent(headerText(text))).toBe(text)
      }),
    )
  })

  it.each([',', '|', ';', ' ', ', '])(
    'splits at `%s` into exactly the values that it was joined from',
    (separator) => {
      fc.assert(
        fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 })), (values) => {
          const joined = headerList(values, separator)
          const parts = joined === '' ? [] : joined.split(separator)
          expect(parts.map(decodeURIComponent)).toEqual(values)
        }),
      )
    },
  )

  it('is valid, single and whole for any claims, and the set keeps its budget', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constant('x'.repeat(8192)),
      fc.constant('a\r\nX-Admin: 1'),
    )
    const value: fc.Arbitrary<ClaimValue> = fc.oneof(text, fc.double(), fc.boolean(), fc.array(text))
    const claims = fc.record({
      groups: value,
      email: value,
      preferred_username: value,
      dept: value,
      user: value,
    })
    fc.assert(
      fc.property(claims, text, fc.boolean(), (all, subject, qualified) => {
        const { headers, names } = written(withClaims(all, { subject }), { qualified })
        expect(names).toEqual(SET)
        for (const [index, part] of headers.entries()) {
          expect(part).toMatch(/^(?:|[\x21-\x7e]|[\x21-\x7e][\x20-\x7e]*[\x21-\x7e])$/)
          if (index % 2 === 1) validateHeaderValue(headers[index - 1] ?? '', part)
        }
        expect(headers.join('  ').length).toBeLessThanOrEqual(IDENTITY_BUDGET_BYTES)
      }),
    )
  })
})
