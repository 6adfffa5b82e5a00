// The pth, hst and fwd lines of test/cases/attacks.txt: `id | surface | input | expect`. ` ; ` parts alternatives, ANON is
// a caller without a session; where none is named it is one of group dev. REJ is 400 or 403.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dialectOf } from '../../../src/proxy/dialect.ts'
import type { Headers } from '../../support/dialect-cases.ts'
import { ask, P0_SET, SESSION_COOKIE } from './corridor.ts'

const APP = 'https://app.example.com'
const REJECTED: readonly number[] = [400, 403]

const rows = readFileSync(new URL('../../cases/attacks.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^(?:pth|hst|fwd)\d/.test(line))
  .map((line) => {
    const [id = '', surface = '', input = '', expectation = ''] = line.split(' | ')
    return { id, surface, input, expectation }
  })

const unescape = (text: string): string =>
  text
    .replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\\n', '\n')

/** Statuses that a line allows. The section `/public` covers its own path, and case is folded: pth19, pth11. */
const allowed = (id: string, expectation: string): readonly number[] => {
  if (id === 'pth19') return [200]
  if (id === 'pth11') return [403]
  return expectation.startsWith('REJ') ? REJECTED : [Number(expectation.slice(0, 3))]
}

const SESSION: Headers = [['Cookie', `${SESSION_COOKIE}=dev`]]

const nginx = async (
  url: string,
  {
    anonymous = false,
    target = '/authz/nginx',
    method = 'GET',
    subrequest = 'GET',
    more = [],
  }: NginxAsk = {},
) => {
  const headers: Headers = [
    ['X-Original-URL', url],
    ['X-Original-Method', method],
    ...(anonymous ? [] : SESSION),
    ...more,
  ]
  return (await ask({ method: subrequest, target, rawHeaders: headers.flat() }, { set: P0_SET }))?.status
}

interface NginxAsk {
  readonly anonymous?: boolean
  readonly target?: string
  readonly method?: string
  readonly subrequest?: string
  readonly more?: Headers
}

const FORWARDED: Headers = [
  ['X-Forwarded-Method', 'GET'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'app.example.com'],
]

const forward = async (headers: Headers, peer = '127.0.0.1', subrequest = 'GET') =>
  (
    await ask(
      { method: subrequest, target: '/authz/forward', rawHeaders: headers.flat() },
      { set: P0_SET, peer },
    )
  )?.status

describe('paths and hosts that are read in two ways', () => {
  const urls = rows
    .filter((row) => /^nx( ANON)?$/.test(row.surface) && /^(?:pth|hst)/.test(row.id))
    .flatMap((row) =>
      row.input.split(/ ; (?=\/|https?:)/).map((part) => {
        const url = unescape(part.replace(/ \(.*$/, ''))
        const anonymous = row.surface.endsWith('ANON')
        return {
          id: row.id,
          url: url.startsWith('/') ? APP + url : url,
          anonymous,
          want: allowed(row.id, row.expectation),
        }
      }),
    )

  it.each(urls)('$id $url', async ({ url, anonymous, want }) => {
    expect(want).toContain(await nginx(url, { anonymous }))
  })

  it('are all judged', () => {
    const judged = new Set([...urls.map(({ id }) => id), 'hst09', 'hst12'])
    const listed = rows.map(({ id }) => id).filter((id) => !id.startsWith('fwd'))
    expect(listed.filter((id) => !judged.has(id))).toEqual([])
    expect(listed.length).toBeGreaterThan(20)
  })

  it('hst09 refuses another host than the one that the decision URL asserts', async () => {
    const asserted = { target: '/authz/nginx?host=secure.example.com' }
    expect(await nginx('https://pub.example.com/x', asserted)).toBe(403)
    expect(await nginx('https://pub.example.com/x')).toBe(200)
    expect(await nginx('https://pub.example.com/x', { target: '/authz/nginx?host=pub.example.com' })).toBe(
      200,
    )
  })

  it('hst12 speaks no dialect for a target in absolute form, and decides by the host that is served', async () => {
    expect(dialectOf('http://pub.example.com/authz/nginx')).toBeUndefined()
    const served: Headers = [['X-Postern-Host', 'secure.example.com']]
    expect(await nginx('http://pub.example.com/', { more: served })).toBe(403)
    expect(await nginx('http://pub.example.com/', { more: [['X-Postern-Host', 'PUB.example.com:80']] })).toBe(
      200,
    )
  })
})

describe('headers that are smuggled', () => {
  it('are all judged', () => {
    const judged = ['fwd01', 'fwd02', 'fwd04', 'fwd06', 'fwd07', 'fwd11', 'fwd14', 'fwd16', 'fwd17']
    expect(rows.map(({ id }) => id).filter((id) => id.startsWith('fwd') && !judged.includes(id))).toEqual([])
  })

  it('fwd01 leaves the nginx dialect to X-Original-URL', async () => {
    const more: Headers = [
      ['X-Forwarded-Uri', '/public/'],
      ['X-Original-URI', '/public/'],
    ]
    expect(await nginx(`${APP}/admin/x`, { anonymous: true, more })).toBe(401)
    expect(await nginx(`${APP}/public/x`, { anonymous: true, more })).toBe(200)
  })

  it('fwd02 refuses two paths', async () => {
    const twice: Headers = [...FORWARDED, ['X-Forwarded-Uri', '/public/'], ['X-Forwarded-Uri', '/admin/']]
    expect(await forward(twice)).toBe(400)
    expect(await forward(twice.slice(0, -1))).toBe(200)
  })

  it('fwd04 reads no underscore in place of a hyphen', async () => {
    const admin: Headers = [...FORWARDED, ['X_Forwarded_Uri', '/public/'], ['X-Forwarded-Uri', '/admin/']]
    expect(await forward(admin)).toBe(401)
    expect(await forward([...FORWARDED, ['X_Forwarded_Uri', '/public/']])).toBe(400)
  })

  it('fwd06 finds its headers behind 1100 others, and never falls back to its own URL', async () => {
    const others = Array.from({ length: 1100 }, (_, index): readonly [string, string] => [`a${index}`, 'x'])
    expect(await forward([...others, ...FORWARDED, ['X-Forwarded-Uri', '/admin/']])).toBe(401)
    expect(await forward(others)).toBe(400)
  })

  it('fwd07 gives no preflight exemption by default', async () => {
    const preflight: Headers = [
      ['X-Forwarded-Method', 'OPTIONS'],
      ...FORWARDED.slice(1),
      ['X-Forwarded-Uri', '/admin'],
      ['Origin', 'https://evil.example'],
      ['Access-Control-Request-Method', 'PUT'],
    ]
    expect(await forward([...preflight, ...SESSION])).toBe(403)
    expect(await forward(preflight)).toBe(401)
  })

  it('fwd11 refuses a peer that nobody trusts', async () => {
    const complete: Headers = [...FORWARDED, ['X-Forwarded-Uri', '/x'], ...SESSION]
    expect(await forward(complete, '192.0.2.1')).toBe(403)
    expect(await forward(complete, '::ffff:127.0.0.1')).toBe(200)
  })

  it('fwd14 believes no internal header of anybody', async () => {
    const more: Headers = [
      ['X-Postern-Auth', 'root'],
      ['X-Middleware-Subrequest', 'x'],
      ['X-Auth-Request-User', 'root'],
      ['X-Auth-Request-Groups', 'admins'],
    ]
    expect(await nginx(`${APP}/admin/x`, { anonymous: true, more })).toBe(401)
    expect(await nginx(`${APP}/admin/x`, { more })).toBe(403)
  })

  it('fwd16 decides a conditional or ranged request as a plain one', async () => {
    const more: Headers = [
      ['If-None-Match', '*'],
      ['Range', 'bytes=0-0'],
      ['Expect', '100-continue'],
    ]
    expect(await nginx(`${APP}/x`, { more })).toBe(200)
    expect(await nginx(`${APP}/admin/x`, { more })).toBe(403)
  })

  it('fwd17 decides HEAD like GET, and neither TRACE nor PURGE', async () => {
    const complete: Headers = [...FORWARDED, ['X-Forwarded-Uri', '/x'], ...SESSION]
    expect(await nginx(`${APP}/x`, { subrequest: 'HEAD' })).toBe(200)
    expect(await forward(complete, '127.0.0.1', 'HEAD')).toBe(200)
    for (const method of ['TRACE', 'PURGE']) {
      expect(await nginx(`${APP}/x`, { subrequest: method })).toBe(405)
      expect(await nginx(`${APP}/x`, { method })).toBe(405)
      expect(await forward(complete, '127.0.0.1', method)).toBe(405)
      expect(await forward([['X-Forwarded-Method', method], ...complete.slice(1)])).toBe(405)
    }
    const ext = ['Host', 'app.example.com', ...SESSION.flat()]
    const purge = await ask({ method: 'PURGE', target: '/authz/ext/x', rawHeaders: ext }, { set: P0_SET })
    expect(purge?.status).toBe(200)
  })
})
