// A host is compared as a name: lower case, without port and one trailing dot. Nothing is repaired.
import { describe, expect, it } from 'vitest'
import {
  hostMatches,
  hostPatternText,
  normalizeHost,
  parseHostPattern,
  suffixOf,
} from '../../../src/policy/host-pattern.ts'

describe('a reported host', () => {
  it.each([
    ['app.example.com', 'app.example.com'],
    ['APP.Example.COM', 'app.example.com'],
    ['app.example.com.', 'app.example.com'],
    ['app.example.com:8443', 'app.example.com'],
    ['app.example.com.:65535', 'app.example.com'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['10.0.0.1:80', '10.0.0.1'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
  ])('%s is %s', (authority, host) => {
    expect(normalizeHost(authority)).toBe(host)
  })

  it.each([
    '',
    '.',
    '.example.com',
    'example..com',
    'example.com..',
    'example.com:0',
    'example.com:65536',
    'example.com:',
    'example.com:80:80',
    'user@example.com',
    'example.com/x',
    'exämple.com',
    'example.com ',
    'a\u0000b',
    'a,b',
    `${'a'.repeat(300)}.com`,
    '*.example.com',
    'example%2ecom',
  ])('%j is none', (authority) => {
    expect(normalizeHost(authority)).toBeUndefined()
  })
})

describe('a pattern', () => {
  const matches = (pattern: string, host: string): boolean =>
    hostMatches(parseHostPattern(pattern)!, normalizeHost(host)!)
  it('with a star is exactly one label', () => {
    expect(matches('*.example.com', 'a.example.com')).toBe(true)
    expect(matches('*.example.com', 'a.b.example.com')).toBe(false)
    expect(matches('*.example.com', 'example.com')).toBe(false)
    expect(matches('*.example.com', 'aexample.com')).toBe(false)
  })

  it('without a star is the host alone', () => {
    expect(matches('example.com', 'EXAMPLE.com.')).toBe(true)
    expect(matches('example.com', 'a.example.com')).toBe(false)
    expect(matches('example.com', 'examplexcom')).toBe(false)
  })

  it.each(['*', '*.', 'a.*', '*.*.com', 'a*.com', 'example.com:443', ' example.com', ''])(
    'is not %j',
    (text) => {
      expect(parseHostPattern(text)).toBeUndefined()
    },
  )

  it('reads back as it was written', () => {
    expect(['*.example.com', 'example.com'].map((text) => hostPatternText(parseHostPattern(text)!))).toEqual([
      '*.example.com',
      'example.com',
    ])
  })

  it('of one label has no suffix', () => {
    expect(suffixOf(normalizeHost('localhost')!)).toBeUndefined()
    expect(suffixOf(normalizeHost('a.b.c')!)).toBe('b.c')
  })
})
