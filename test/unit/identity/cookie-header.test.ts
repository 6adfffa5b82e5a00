import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  cookiesOfFamily,
  cookieValues,
  sessionCookieName,
  withoutCookie,
} from '../../../src/identity/cookie-header.ts'

const NAME = '__Secure-postern'
const ours = new Set([NAME])

describe('the name of the session cookie', () => {
  test.each([
    ['https', 'auth.example.com', false, '__Secure-postern'],
    ['https', 'auth.example.com', true, '__Host-postern'],
    ['https', 'auth.localhost', false, '__Secure-postern'],
    ['http', 'auth.localhost', false, 'postern'],
    ['http', 'localhost', true, 'postern'],
    ['http', 'auth.example.com', false, '__Secure-postern'],
    ['http', 'evillocalhost', false, '__Secure-postern'],
    ['http', 'localhost.example.com', false, '__Secure-postern'],
  ] as const)('%s://%s, one per host %s: %s', (scheme, host, perHost, name) => {
    expect(sessionCookieName({ scheme, host, perHost })).toBe(name)
  })
})

describe('the values of a cookie', () => {
  test('are found over several lines, in order', () => {
    expect(cookieValues(['x=1', `a=b; ${NAME}=v1`, `${NAME}=v2;y=2`], NAME)).toEqual(['v1', 'v2'])
  })

  test.each([
    ['a no-break space before the name', `\u00a0${NAME}=attacker; ${NAME}=valid`, ['valid']],
    ['another case', `${NAME.toLowerCase()}=attacker; ${NAME}=valid`, ['valid']],
    ['a longer name', `x${NAME}=attacker; ${NAME}x=attacker; ${NAME}=valid`, ['valid']],
    ['our name in a value', `a=${NAME}=attacker; ${NAME}=valid`, ['valid']],
    ['a vertical tab', `\v${NAME}=attacker; ${NAME}=valid`, ['valid']],
    ['no equals sign', `${NAME}; ${NAME}=valid`, ['valid']],
    ['a comma for a semicolon', `a=1, ${NAME}=attacker; ${NAME}=valid`, ['valid']],
    ['a percent-encoded name', `__Secure%2Dpostern=attacker; ${NAME}=valid`, ['valid']],
  ])('do not take %s for ours', (_, line, expected) => {
    expect(cookieValues([line], NAME)).toEqual(expected)
  })

  test('are neither decoded nor unquoted nor skipped', () => {
    expect(cookieValues([`${NAME}="a\\b"; ${NAME}=%0d%0a%00; ${NAME}= x=y\t`], NAME)).toEqual([
      '"a\\b"',
      '%0d%0a%00',
      'x=y',
    ])
  })

  test('are four at most', () => {
    const line = Array.from({ length: 6 }, (_, index) => `${NAME}=v${index}`).join('; ')
    expect(cookieValues([line], NAME)).toEqual(['v0', 'v1', 'v2', 'v3'])
  })
})

describe('a family of cookies', () => {
  test('is found over several lines, in order, by how the names begin', () => {
    const lines = ['x=1; fam-a=1; Fam-b=2', 'fam-c=3;fam-=4; xfam-d=5; fam-a=6']
    expect(cookiesOfFamily(lines, 'fam-').map(({ name, value }) => `${name}=${value}`)).toEqual([
      'fam-a=1',
      'fam-c=3',
      'fam-=4',
      'fam-a=6',
    ])
  })
})

describe('the cookies that go on to the application', () => {
  test('keep order and spelling and lose every copy of ours', () => {
    const lines = [`a=1; ${NAME}=s1;b="x y"`, `${NAME}=s2`, 'c=%20; d']
    expect(withoutCookie(lines, ours)).toBe('a=1; b="x y"; c=%20; d')
  })

  test('lose a whole family, and nothing that only resembles it', () => {
    const names = new Set([NAME, '__Host-postern-bind-'])
    const lines = [
      '__Host-postern-bind-a1=x; __Host-postern-bind=y; a=__Host-postern-bind-',
      '__Host-postern-bind-=z',
    ]
    expect(withoutCookie(lines, names)).toBe('__Host-postern-bind=y; a=__Host-postern-bind-')
  })

  test('are nothing where only ours came', () => {
    expect(withoutCookie([`${NAME}=s1; ${NAME}=s2`], ours)).toBeUndefined()
    expect(withoutCookie([], ours)).toBeUndefined()
  })

  test('never hold a value of ours that the parser would find, however the header is spelled', () => {
    const piece = fc.constantFrom(NAME, '=', ';', ' ', '\t', '\u00a0', '"', ',', 'a', 'secret')
    fc.assert(
      fc.property(
        fc.array(
          fc.array(piece).map((pieces) => pieces.join('')),
          { maxLength: 4 },
        ),
        (lines) => {
          const left = withoutCookie(lines, ours)
          expect(cookieValues(left === undefined ? [] : [left], NAME)).toEqual([])
        },
      ),
    )
  })
})
