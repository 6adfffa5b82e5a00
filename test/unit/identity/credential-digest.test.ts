import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { credentialDigest, makeCredentialDigest } from '../../../src/identity/credential-digest.ts'
import { carriedOf } from './acceptance-fixture.ts'

const NAMES = ['__Secure-postern']
const digest = (changes: Parameters<typeof carriedOf>[0]): string =>
  credentialDigest(carriedOf(changes), NAMES)

describe('the digest of what a caller carries', () => {
  test('does not change with cookies of others', () => {
    expect(digest({ cookies: ['__Secure-postern=v; theme=dark'] })).toBe(
      digest({ cookies: ['x=1', '__Secure-postern=v'] }),
    )
  })

  test('changes with each thing that verification reads', () => {
    const different = [
      digest({}),
      digest({ authorization: '' }),
      digest({ authorization: 'x' }),
      digest({ proxyAuthorization: 'x' }),
      digest({ apiKey: 'x' }),
      digest({ authorization: 'x', proxyAuthorization: 'x' }),
      digest({ cookies: ['__Secure-postern=x'] }),
      digest({ cookies: ['__Secure-postern='] }),
      digest({ cookies: ['__Secure-postern=x; __Secure-postern=x'] }),
      digest({ cookies: ['__Secure-postern=x; __Secure-postern=y'] }),
      digest({ cookies: ['__Secure-postern=y; __Secure-postern=x'] }),
    ]
    expect(new Set(different).size).toBe(different.length)
  })

  test('is injective: bytes cannot move from one field into the next', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', '1', '-', ' '), maxLength: 4 })
    const carried = fc.record({
      authorization: fc.option(text, { nil: undefined }),
      proxyAuthorization: fc.option(text, { nil: undefined }),
      apiKey: fc.option(text, { nil: undefined }),
    })
    fc.assert(
      fc.property(carried, carried, (one, other) => {
        const isSame = JSON.stringify(Object.entries(one)) === JSON.stringify(Object.entries(other))
        expect(digest(one) === digest(other)).toBe(isSame)
      }),
    )
  })
})

describe('the remembered digest', () => {
  const part = fc.constantFrom('__Secure-postern=', 'v', 'w', '; ', 'x=1', '__secure-postern=v', '=', ' ')
  const line = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''))
  const value = fc.option(fc.constantFrom('', 'a', 'Bearer b'), { nil: undefined })
  const carried = fc
    .record({
      authorization: value,
      proxyAuthorization: value,
      apiKey: value,
      cookies: fc.array(line, { maxLength: 3 }),
    })
    .map(carriedOf)

  test('is the digest, whoever asked before', () => {
    fc.assert(
      fc.property(fc.array(carried, { maxLength: 40 }), (requests) => {
        const remembered = makeCredentialDigest(NAMES)
        for (const one of requests) expect(remembered(one)).toBe(credentialDigest(one, NAMES))
      }),
      { numRuns: 500 },
    )
  })

  test('tells two sessions apart whose lines begin alike', () => {
    const remembered = makeCredentialDigest(NAMES)
    const long = `__Secure-postern=${'n'.repeat(60)}`
    const one = carriedOf({ cookies: [`${long}1`] })
    const other = carriedOf({ cookies: [`${long}2`] })
    for (const each of [one, other, one, other]) expect(remembered(each)).toBe(credentialDigest(each, NAMES))
  })
})
