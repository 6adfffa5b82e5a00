// After sign-in a browser goes to a host that some route lists, or to the default; nowhere else, whatever `rd` says.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hostMatches,
  normalizeHost,
  parseHostPattern,
  type HostName,
} from '../../../src/policy/host-pattern.ts'
import { readReturnTo, type ReturnToSettings } from '../../../src/signin/return-to.ts'

const host = (text: string): HostName => {
  const name = normalizeHost(text)
  if (name === undefined) throw new Error(`not a host: ${text}`)
  return name
}

const LISTED = ['app.example.com', '*.wild.example.com', 'wiki.demo.localhost', 'prefix.example.com'].map(
  (text) => {
    const pattern = parseHostPattern(text)
    if (pattern === undefined) throw new Error(`not a pattern: ${text}`)
    return pattern
  },
)

const isRouteHost = (name: HostName): boolean => LISTED.some((pattern) => hostMatches(pattern, name))

const settings: ReturnToSettings = {
  publicHost: host('auth.example.com'),
  publicPath: '',
  ownPrefix: '/postern',
  externalScheme: undefined,
  isRouteHost,
}

const urlOf = (rd: string, changes: Partial<ReturnToSettings> = {}): string | undefined => {
  const read = readReturnTo([rd], { ...settings, ...changes })
  return read.kind === 'ok' ? read.url : undefined
}

const whyOf = (rd: string, changes: Partial<ReturnToSettings> = {}): string => {
  const read = readReturnTo([rd], { ...settings, ...changes })
  return read.kind === 'ok' ? `went to ${read.url}` : read.why
}

describe('a listed host is a target, with everything that stood behind it', () => {
  it.each([
    ['https://app.example.com', 'https://app.example.com/'],
    ['https://app.example.com/d/x?orgId=1&from=now-6h', 'https://app.example.com/d/x?orgId=1&from=now-6h'],
    ['https://app.example.com/?q=a\\b|c^{d}', 'https://app.example.com/?q=a\\b|c^{d}'],
    ['https://app.example.com/x#panel-4', 'https://app.example.com/x#panel-4'],
    ['https://app.example.com?x=1', 'https://app.example.com/?x=1'],
    [
      'https://app.example.com/d/100%25-off?rd=https://evil.com',
      'https://app.example.com/d/100%25-off?rd=https://evil.com',
    ],
    ['HTTPS://APP.example.com./x', 'https://app.example.com/x'],
    ['https://app.example.com:8443/x', 'https://app.example.com:8443/x'],
    ['https://a.wild.example.com/x', 'https://a.wild.example.com/x'],
    ['https://app.example.com/é b', 'https://app.example.com/%C3%A9%20b'],
    ['https://app.example.com//evil.com', 'https://app.example.com//evil.com'],
  ])('%s', (rd, url) => {
    expect(urlOf(rd)).toBe(url)
  })

  it('tells host, authority, path and query apart', () => {
    expect(readReturnTo(['https://app.example.com:8443/x?y=1#z'], settings)).toEqual({
      kind: 'ok',
      url: 'https://app.example.com:8443/x?y=1#z',
      scheme: 'https',
      host: 'app.example.com',
      authority: 'app.example.com:8443',
      pathAndQuery: '/x?y=1',
    })
  })
})

describe('every known trick falls back to the default', () => {
  it.each([
    ['rdr02', '///evil.com'],
    ['rdr03', '/\\evil.com'],
    ['rdr05', '/\t/evil.com'],
    ['rdr06', '/\n/evil.com'],
    ['rdr07', '\t//evil.com'],
    ['rdr08', '\u0000//evil.com'],
    ['rdr10', 'https:evil.com'],
    ['rdr10 on a listed host', 'https:app.example.com'],
    ['rdr14', 'https://app.example.com@evil.com'],
    ['rdr15', 'https://evil.com\\@app.example.com'],
    ['rdr16 fragment', 'https://evil.com#@app.example.com'],
    ['rdr16 query', 'https://evil.com?@app.example.com'],
    ['rdr18', 'https://user:pw@app.example.com/'],
    ['rdr19', 'https://app.example.com.evil.com'],
    ['rdr20', 'https://evilexample.com'],
    ['rdr22', 'https://app.example.com\u3002evil.com'],
    ['rdr23', 'https://app.example.com\u00ad.evil.com'],
    ['rdr23 on a listed host', 'https://app.exa\u00admple.com/'],
    ['rdr24', 'https://\u0430pp.example.com'],
    ['rdr32', 'https://app.example.com/\r\nSet-Cookie:x=1'],
    ['rdr33', 'https://127.1/'],
    ['rdr35', `/${'a'.repeat(9000)}`],
    ['rdr36', 'https://auth.example.com/logout'],
    ['three slashes', 'https:///app.example.com/'],
    ['backslashes', 'https:\\\\app.example.com/'],
    ['a backslash in the path', 'https://app.example.com/x\\y'],
    ['a tab inside the scheme', 'ht\ntps://app.example.com/'],
    ['a leading space', ' https://app.example.com/'],
    ['an encoded dot in the host', 'https://app%2eexample.com/'],
    ['script', 'javascript:alert(1)//https://app.example.com/'],
    ['markup', '"><svg onload=alert(1)>'],
    ['data', 'data:text/html,https://app.example.com/'],
    ['two levels under a wildcard', 'https://a.b.wild.example.com/'],
    ['the suffix of a wildcard', 'https://wild.example.com/'],
    ['an empty port', 'https://app.example.com:/'],
    ['port 0', 'https://app.example.com:0/'],
    ['a path over the root', 'https://app.example.com/../../x'],
    ['a bad escape', 'https://app.example.com/%zz'],
    ['half a surrogate pair', 'https://app.example.com/\ud800'],
    ['nothing', ''],
  ])('%s', (_, rd) => {
    expect(urlOf(rd)).toBeUndefined()
  })

  it('rdr34: a repeated rd is none', () => {
    expect(readReturnTo(['https://app.example.com/ok', '//evil.com'], settings)).toEqual({
      kind: 'fallback',
      why: 'repeated',
    })
    expect(readReturnTo([], settings)).toEqual({ kind: 'fallback', why: 'absent' })
  })
})

describe('our own paths are never a target, in any reading of the path', () => {
  it.each([
    'https://app.example.com/postern',
    'https://app.example.com/postern/sign-out',
    'https://app.example.com/POSTERN/sign-out',
    'https://app.example.com/%70ostern/sign-out',
    'https://app.example.com/%2570ostern/sign-out',
    'https://app.example.com/x/../postern/land',
    'https://app.example.com/x/%2e%2e/postern/land',
    'https://app.example.com//postern/land',
    'https://app.example.com/..;/postern/land',
    'https://app.example.com/x%5c..%5cpostern%5cland',
    'https://app.example.com/postern;v=1/land',
  ])('%s', (rd) => {
    expect(urlOf(rd)).toBeUndefined()
  })

  it('lets through what only looks alike', () => {
    expect(urlOf('https://app.example.com/posterns')).toBe('https://app.example.com/posterns')
    expect(urlOf('https://app.example.com/x?y=/postern/sign-out')).toBe(
      'https://app.example.com/x?y=/postern/sign-out',
    )
  })

  it('keeps the rest of a host that it shares with an application', () => {
    const shared = { publicHost: host('prefix.example.com'), publicPath: '/door', ownPrefix: undefined }
    expect(whyOf('https://prefix.example.com/door/sign-out', shared)).toBe('own-path')
    expect(urlOf('https://prefix.example.com/doors', shared)).toBe('https://prefix.example.com/doors')
    expect(urlOf('https://app.example.com/door/x', shared)).toBe('https://app.example.com/door/x')
  })

  it('takes no path of the public host where that host is ours alone, listed or not', () => {
    const alone = { publicHost: host('app.example.com') }
    expect(whyOf('https://app.example.com/anything', alone)).toBe('own-path')
  })
})

describe('the scheme is https', () => {
  it('refuses http where nobody said what browsers see', () => {
    expect(whyOf('http://app.example.com/x')).toBe('scheme')
    expect(whyOf('http://wiki.demo.localhost/x')).toBe('scheme')
  })

  it('raises http to https where the operator says that browsers see https', () => {
    expect(urlOf('http://app.example.com/x', { externalScheme: 'https' })).toBe('https://app.example.com/x')
  })

  it('takes http on *.localhost only, and only where the operator says http', () => {
    expect(urlOf('http://wiki.demo.localhost:8080/x', { externalScheme: 'http' })).toBe(
      'http://wiki.demo.localhost:8080/x',
    )
    expect(whyOf('http://app.example.com/x', { externalScheme: 'http' })).toBe('scheme')
  })
})

describe('an over-long target keeps its origin only', () => {
  it('drops path, query and fragment together', () => {
    expect(urlOf(`https://app.example.com/x?q=${'a'.repeat(5000)}#z`)).toBe('https://app.example.com/')
    expect(whyOf(`https://evil.com/x?q=${'a'.repeat(5000)}`)).toBe('foreign-host')
  })
})

/** Strings near the border: real pieces of URLs in any order, with the characters that parsers disagree about. */
const piece = fc.oneof(
  fc.constantFrom(
    'https:',
    'http:',
    '//',
    '/',
    '\\',
    '@',
    ':',
    '#',
    '?',
    '%2e',
    '%2f',
    '%5c',
    '\t',
    '\n',
    ' ',
    '.',
    ';',
    '..',
    'app.example.com',
    'evil.com',
    'auth.example.com',
    'a.wild.example.com',
    'wiki.demo.localhost',
    'postern',
    'sign-out',
    '\u3002',
    '\u00ad',
    '\u0430',
    'xn--',
    '0x7f.1',
    ':443',
    ':80',
    '[::1]',
    '_',
    '-',
  ),
  fc.string({ maxLength: 3, unit: 'binary' }),
)
const anyRd = fc.oneof(
  fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 6 }).map((pieces) => `https://app.example.com${pieces.join('')}`),
  fc.array(piece, { maxLength: 6 }).map((pieces) => `https://${pieces.join('')}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
)

describe('redirect safety, with the parser that browsers use as the judge', () => {
  it('whatever rd says, the emitted URL is on a listed host, by an allowed scheme, and is what we said it is', () => {
    fc.assert(
      fc.property(
        anyRd,
        fc.constantFrom(undefined, 'http' as const, 'https' as const),
        (rd, externalScheme) => {
          const read = readReturnTo([rd], { ...settings, externalScheme })
          if (read.kind === 'fallback' || !URL.canParse(read.url)) return
          const seen = new URL(read.url, 'https://auth.example.com/sign-in')
          expect(seen.hostname).toBe(read.host)
          expect(isRouteHost(host(seen.hostname))).toBe(true)
          expect(
            seen.protocol === 'https:' || (externalScheme === 'http' && read.host.endsWith('.localhost')),
          ).toBe(true)
          expect(seen.username + seen.password).toBe('')
          expect(seen.hostname).not.toBe('auth.example.com')
          expect(/^\/postern(\/|$)/i.test(seen.pathname)).toBe(false)
          expect(new URL(seen.href).href).toBe(seen.href)
          expect(read.url).toMatch(/^[\u0021-\u007e]+$/)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('reads its own answer back as the same target', () => {
    fc.assert(
      fc.property(anyRd, (rd) => {
        const once = readReturnTo([rd], settings)
        if (once.kind === 'fallback') return
        expect(readReturnTo([once.url], settings)).toEqual(once)
      }),
      { numRuns: 2000 },
    )
  })
})
