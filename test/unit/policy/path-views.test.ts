// A path is every reading that somebody behind the proxy could take it for.
import { describe, expect, it } from 'vitest'
import { readPath } from '../../../src/policy/path-views.ts'

const views = (raw: string): readonly string[] | string => {
  const reading = readPath(raw)
  return reading.kind === 'read' ? reading.path.views : reading.why
}
const isOpaque = (raw: string): boolean => {
  const reading = readPath(raw)
  if (reading.kind === 'malformed') throw new Error(reading.why)
  return reading.path.opaque
}

describe('a plain path', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/A/b/', '/a/b'],
    ["/d/abc-._~!$&'()*+,=:@", "/d/abc-._~!$&'()*+,=:@"],
    ['/a.b/..c/...', '/a.b/..c/...'],
  ])('%s has one reading', (raw, view) => {
    expect(views(raw)).toEqual([view])
    expect(isOpaque(raw)).toBe(false)
  })
})

describe('another path has all its readings', () => {
  it.each([
    ['/public/../admin', ['/public/../admin', '/admin']],
    ['/public/%2e%2e/admin', ['/public/%2e%2e/admin', '/public/../admin', '/admin']],
    ['/public/..%2fadmin', ['/public/..%2fadmin', '/public/../admin', '/admin']],
    [
      '/public/%252e%252e/admin',
      ['/public/%252e%252e/admin', '/public/%2e%2e/admin', '/public/../admin', '/admin'],
    ],
    ['/public/..;/admin', ['/public/..;/admin', '/public/../admin', '/admin']],
    ['/public\\..\\admin', ['/public\\..\\admin', '/public/../admin', '/admin']],
    ['//admin', ['//admin', '/admin']],
    ['/a//../b', ['/a//../b', '/b', '/a/b', '/a/../b']],
    ['/a%2Fb', ['/a%2fb', '/a/b']],
    ['/d/100%25-off', ['/d/100%25-off', '/d/100%-off']],
    ['/a/./b/', ['/a/./b', '/a/b']],
  ])('%s', (raw, expected) => {
    expect(views(raw)).toEqual(expected)
  })
})

describe('a path that no server should see is refused', () => {
  it.each([
    ['/../x', /climbs/],
    ['/a/../../x', /climbs/],
    ['/%2e%2e/x', /climbs/],
    ['/..;/x', /climbs/],
    ['/\\..\\x', /climbs/],
    ['/%zz', /escape/],
    ['/a%', /escape/],
    ['/%u002e', /escape/],
    ['/%00', /NUL/],
    ['/a\u0000', /control/],
    ['/a\nb', /control/],
    ['/a\u007f', /control/],
    ['x', /slash/],
    ['', /slash/],
    [`/${'a'.repeat(8192)}`, /8 KiB/],
    [`/%${'25'.repeat(20)}41`, /too many readings/],
    [`/${'a;\\%255c..a/'.repeat(600)}`, /too many readings/],
    [`/%${'25'.repeat(4000)}41/%2e%2e/x`, /too many readings/],
  ])('%j', (raw, why) => {
    expect(views(raw)).toMatch(why)
  })

  it('at 8 KiB and not before', () => {
    expect(readPath(`/${'a'.repeat(8191)}`).kind).toBe('read')
  })
})

describe('a path that reads differently to different readers opens no public door', () => {
  it.each([
    ['an encoded #', '/public/%23/x'],
    ['an encoded ?', '/public/%3Fx'],
    ['a literal #', '/public#/x'],
    ['a # after a second decode', '/public/%2523'],
    ['bytes that are not UTF-8', '/public/%ff'],
    ['an overlong form', '/public/%c0%ae'],
    ['a surrogate', '/public/%ed%a0%80'],
    ['NUL after a second decode', '/public/%2500'],
    ['a control byte', '/public/%0a'],
    ['bytes in a segment that dots take away', '/public/%ff/%2e%2e'],
    ['a # in a segment that dots take away', '/public/%23/%2e%2e/x'],
    ['a second decode in a segment that dots take away', '/public/%2500/%2e%2e/x'],
    ['bytes in a parameter', '/public/x;%ff/y'],
  ])('%s', (_, raw) => {
    expect(isOpaque(raw)).toBe(true)
  })

  it.each([
    '/public/%c3%bc',
    '/public/%e2%82%ac',
    '/public/a%2Fb',
    '/public/x;v=1/y',
    '/public/%25',
    '/public/x/%2e%2e/y',
  ])('but %s does', (raw) => {
    expect(isOpaque(raw)).toBe(false)
  })
})
