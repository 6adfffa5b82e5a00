// The lines of test/cases/attacks.txt against a service that runs: `id | surface | input | expect`. Each line is run here,
// or listed below with the file that runs it, or with the reason why nothing can run it yet.
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadPolicies } from '../../src/policy-file/load.ts'
import type { RunningPostern } from '../../src/server/serve.ts'
import { P0_POLICIES } from '../support/contract-policies.ts'
import { publicHost } from '../support/front-hosts.ts'
import { startTestProvider, type TestProvider } from '../support/oidc-provider.ts'
import { requestText, sendRaw, type RawAnswer } from '../support/raw-http.ts'
import {
  askForward,
  askNginx,
  headerOf,
  seriesOf,
  startService,
  totalOf,
  until,
  untilReady,
  type HeaderLines,
} from '../support/running-service.ts'
import {
  CLIENT_SECRET,
  makeServiceFolder,
  SESSION_COOKIE,
  sessionOf,
  type ServiceFolder,
} from '../support/service-folder.ts'
import {
  hmacWith,
  KEYS_PATH,
  makeKeyPair,
  publicJwk,
  rawToken,
  startTokenIssuer,
  type TokenIssuer,
} from '../support/token-issuer.ts'
import { makeBrowser, onwardOf, refreshIn, type Browser, type Shown } from '../unit/signin/browser.ts'

const APP = 'https://app.example.com'
const PUBLIC = 'https://auth.example.com'
const AUDIENCE = 'postern-api'
const REJECTED: readonly number[] = [400, 403]

interface Row {
  readonly id: string
  readonly surface: string
  readonly input: string
  readonly expectation: string
}

const ROWS: readonly Row[] = readFileSync(new URL('../cases/attacks.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [id = '', surface = '', input = '', expectation = ''] = line.split(' | ')
    return { id, surface, input, expectation }
  })

/** What nothing can run yet, and why. */
const LATER: Readonly<Record<string, string>> = {
  jwt18:
    'by keys it runs in service-account.test.ts; a deleted pod is seen by TokenReview only, which is not built',
  bas01: 'the basic-auth bridge is not built: Basic is foreign everywhere, and gives no identity',
  bas02: 'the basic-auth bridge is not built',
  bas03: 'the basic-auth bridge is not built',
  bas06: 'the basic-auth bridge is not built: no password is hashed',
}

const ran = new Set<string>()
/** Names a line as run by the test that asks for it. */
const row = (id: string): Row => {
  const found = ROWS.find((one) => one.id === id)
  if (found === undefined) throw new Error(`${id} is no line of attacks.txt`)
  ran.add(id)
  return found
}

const unescape = (text: string): string =>
  text.replaceAll(/\\(?:u([0-9a-f]{4})|([ntr\\]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined
      ? ({ n: '\n', t: '\t', r: '\r', '\\': '\\' }[letter] ?? letter)
      : String.fromCharCode(Number.parseInt(hex, 16)),
  )

let provider: TestProvider
let issuer: TokenIssuer
let otherIssuer: TokenIssuer
let service: ServiceFolder
let postern: RunningPostern
const clock = { aheadMs: 0 }

const issuerSettings = (id: string, of: TokenIssuer): Readonly<Record<string, unknown>> => ({
  id,
  issuer: of.issuer,
  jwksUri: of.jwksUri,
  audience: AUDIENCE,
  subjects: 'people',
  claims: { groups: 'groups' },
  default: true,
})

beforeAll(async () => {
  issuer = await startTokenIssuer({ audience: AUDIENCE })
  otherIssuer = await startTokenIssuer({ audience: AUDIENCE })
  provider = await startTestProvider({
    clientId: 'postern',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${PUBLIC}/callback/corp`],
    postLogoutRedirectUris: [`${PUBLIC}/signed-out`],
  })
  service = await makeServiceFolder({
    policies: P0_POLICIES,
    settings: {
      publicUrl: PUBLIC,
      providers: [
        {
          id: 'corp',
          issuer: provider.issuer,
          clientId: 'postern',
          clientSecret: { file: 'oidc.secret' },
          scopes: ['openid', 'profile', 'email', 'groups'],
          claims: { groups: 'groups' },
          default: true,
        },
      ],
      issuers: [issuerSettings('ci', issuer), issuerSettings('other', otherIssuer)],
    },
  })
  postern = await startService(service, { nowMs: () => Date.now() + clock.aheadMs })
  await untilReady(service, 'issuer-ci', /^ok: keys confirmed/)
  await untilReady(service, 'issuer-other', /^ok: keys confirmed/)
})
afterAll(async () => {
  await postern.close()
  await service.remove()
  await Promise.all([provider.close(), issuer.close(), otherIssuer.close()])
})
afterEach(async () => {
  clock.aheadMs = 0
  expect(await totalOf(service, 'postern_faults_total')).toBe(0)
})

const alice = (): string => service.cookie('alice', ['dev'])
const root = (): string => service.cookie('root', ['admins'])

const status = async (url: string, cookie?: string): Promise<number> =>
  (await askNginx(service, url, { cookie })).status

/** Lines so far, once as many as expected more have come. */
const lastLine = async (answer: RawAnswer): Promise<Readonly<Record<string, unknown>>> => {
  const id = headerOf(answer, 'x-postern-decision')
  const lines = await until(service.log, (log) => log.some((line) => line['id'] === id))
  return lines.find((line) => line['id'] === id) ?? {}
}

describe('paths and hosts that are read in two ways', () => {
  const wanted = (id: string, expectation: string): readonly number[] => {
    // The section `/public` covers its own path, and case is folded.
    if (id === 'pth19') return [200]
    if (id === 'pth11') return [403]
    return expectation.startsWith('REJ') ? REJECTED : [Number(expectation.slice(0, 3))]
  }
  const cases = ROWS.filter(
    ({ id, surface }) => /^(?:pth|hst)/.test(id) && /^nx( ANON)?$/.test(surface),
  ).flatMap((one) =>
    one.input.split(/ ; (?=\/|https?:)/).map((part) => {
      const url = unescape(part.replace(/ \(.*$/, '').replace(/ raw bytes$/, ''))
      const anonymous = one.surface.endsWith('ANON')
      return {
        id: one.id,
        url: url.startsWith('/') ? APP + url : url,
        anonymous,
        want: wanted(one.id, one.expectation),
      }
    }),
  )

  it.each(cases)('$id $url', async ({ id, url, anonymous, want }) => {
    row(id)
    const answer = await askNginx(service, url, anonymous ? {} : { cookie: alice() })
    // A line break cannot stand in a header: what comes before any policy refuses the request.
    expect(want).toContain(answer.status)
  })

  it('hst09 refuses another host than the one that the decision URL asserts', async () => {
    row('hst09')
    const ask = async (url: string, target: string): Promise<number> =>
      (await askNginx(service, url, { target, cookie: alice() })).status
    const asserted = '/authz/nginx?host=secure.example.com'
    expect(REJECTED).toContain(await ask('https://pub.example.com/x', asserted))
    expect(await ask('https://pub.example.com/x', '/authz/nginx?host=pub.example.com')).toBe(200)
  })

  it('hst12 reads nothing out of its own request line, and decides by the stricter of two hosts', async () => {
    row('hst12')
    const own = [
      ['Host', 'secure.example.com'],
      ['Cookie', alice()],
    ] as const
    const absolute = await sendRaw(service.ports.decision, requestText('GET', 'http://pub.example.com/', own))
    expect(absolute.status).toBe(404)
    const headers = [['X-Postern-Host', 'secure.example.com']] as const
    const served = await askNginx(service, 'http://pub.example.com/', { cookie: alice(), headers })
    expect(served.status).toBe(403)
    expect(await lastLine(served)).toMatchObject({ route: 'secure', decision: 'deny' })
  })
})

describe('headers that are smuggled', () => {
  const FORWARDED: HeaderLines = [
    ['X-Forwarded-Method', 'GET'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'app.example.com'],
  ]
  const forward = async (headers: HeaderLines, method = 'GET'): Promise<number> =>
    (await sendRaw(service.ports.decision, requestText(method, '/authz/forward', headers))).status
  const nginx = async (
    path: string,
    headers: HeaderLines,
    cookie?: string,
    method = 'GET',
    original = 'GET',
  ): Promise<RawAnswer> =>
    sendRaw(
      service.ports.decision,
      requestText(method, '/authz/nginx', [
        ['X-Original-URL', APP + path],
        ['X-Original-Method', original],
        ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
        ...headers,
      ]),
    )

  it('fwd01 leaves the nginx dialect to X-Original-URL', async () => {
    row('fwd01')
    const headers = [
      ['X-Forwarded-Uri', '/public/'],
      ['X-Original-URI', '/public/'],
    ] as const
    expect((await nginx('/admin/x', headers)).status).toBe(401)
    expect((await nginx('/public/x', headers)).status).toBe(200)
  })

  it('fwd02 refuses two paths', async () => {
    row('fwd02')
    const one: HeaderLines = [...FORWARDED, ['X-Forwarded-Uri', '/public/']]
    expect(REJECTED).toContain(await forward([...one, ['X-Forwarded-Uri', '/admin/']]))
    expect(await forward(one)).toBe(200)
  })

  it('fwd04 reads no underscore in place of a hyphen', async () => {
    row('fwd04')
    const spelt: HeaderLines = [...FORWARDED, ['X_Forwarded_Uri', '/public/']]
    expect(await forward([...spelt, ['X-Forwarded-Uri', '/admin/']])).toBe(401)
    expect(REJECTED).toContain(await forward(spelt))
  })

  it('fwd06 finds its headers behind 1100 others, and never falls back to its own URL', async () => {
    row('fwd06')
    const others = Array.from({ length: 1100 }, (_, index): readonly [string, string] => [`a${index}`, 'x'])
    expect(await forward([...others, ...FORWARDED, ['X-Forwarded-Uri', '/admin/']])).toBe(401)
    expect(REJECTED).toContain(await forward(others))
  })

  it('fwd07 gives no preflight exemption by default', async () => {
    row('fwd07')
    const preflight: HeaderLines = [
      ['X-Forwarded-Method', 'OPTIONS'],
      ...FORWARDED.slice(1),
      ['X-Forwarded-Uri', '/admin'],
      ['Origin', 'https://evil.example'],
      ['Access-Control-Request-Method', 'PUT'],
    ]
    expect(await forward([...preflight, ['Cookie', alice()]])).toBe(403)
    expect(await forward(preflight)).toBe(401)
  })

  it('fwd11 refuses a peer that nobody trusts, whatever it says of itself', async () => {
    row('fwd11')
    const elsewhere = await makeServiceFolder({
      policies: P0_POLICIES,
      settings: { proxies: { trusted: ['192.0.2.0/24'], externalScheme: 'https' } },
    })
    const untrusting = await startService(elsewhere)
    const cookie = elsewhere.cookie('alice', ['dev'])
    for (const headers of [[], [['X-Forwarded-For', '192.0.2.1']], [['X-Real-IP', '192.0.2.1']]] as const)
      expect((await askForward(elsewhere, `${APP}/x`, { cookie, headers })).status).toBe(403)
    expect((await askForward(service, `${APP}/x`, { cookie: alice() })).status).toBe(200)
    await untrusting.close()
    await elsewhere.remove()
  })

  it('fwd14 believes no internal header of anybody', async () => {
    row('fwd14')
    const headers = [
      ['X-Postern-Auth', 'root'],
      ['X-Middleware-Subrequest', 'x'],
      ['X-Auth-Request-User', 'root'],
      ['X-Auth-Request-Groups', 'admins'],
    ] as const
    expect((await nginx('/admin/x', headers)).status).toBe(401)
    expect((await nginx('/admin/x', headers, alice())).status).toBe(403)
    const named = await nginx('/public/x', headers)
    expect([named.status, headerOf(named, 'x-auth-request-user')]).toEqual([200, ''])
  })

  it('fwd16 decides a conditional or ranged request as a plain one', async () => {
    row('fwd16')
    const headers = [
      ['If-None-Match', '*'],
      ['Range', 'bytes=0-0'],
      ['Expect', '100-continue'],
    ] as const
    expect((await nginx('/x', headers, alice())).status).toBe(200)
    expect((await nginx('/admin/x', headers, alice())).status).toBe(403)
  })

  it('fwd17 decides HEAD like GET, and neither TRACE nor PURGE', async () => {
    row('fwd17')
    const complete: HeaderLines = [...FORWARDED, ['X-Forwarded-Uri', '/x'], ['Cookie', alice()]]
    expect((await nginx('/x', [], alice(), 'HEAD')).status).toBe(200)
    expect((await nginx('/admin/x', [], alice(), 'HEAD')).status).toBe(403)
    expect(await forward(complete, 'HEAD')).toBe(200)
    for (const method of ['TRACE', 'PURGE']) {
      expect((await nginx('/x', [], alice(), method)).status).toBe(405)
      expect((await nginx('/x', [], alice(), 'GET', method)).status).toBe(405)
      expect(await forward(complete, method)).toBe(405)
      expect(await forward([['X-Forwarded-Method', method], ...complete.slice(1)])).toBe(405)
    }
    const ext: HeaderLines = [
      ['Host', 'app.example.com'],
      ['Cookie', alice()],
    ]
    expect((await sendRaw(service.ports.decision, requestText('PURGE', '/authz/ext/x', ext))).status).toBe(
      200,
    )
    expect(
      (await sendRaw(service.ports.decision, requestText('PURGE', '/authz/ext/admin', ext))).status,
    ).toBe(403)
  })
})

describe('cookies', () => {
  const hitsAndMisses = async (): Promise<readonly number[]> => {
    const lookups = await seriesOf(service, 'postern_cache_requests_total')
    return ['hit', 'miss'].map((outcome) => lookups.get(`{cache="decisions",outcome="${outcome}"}`) ?? 0)
  }

  it('ckr01 a copy that does not open is ignored, noted, and never cached', async () => {
    row('ckr01')
    const cookie = `${alice()}; ${SESSION_COOKIE}=garbage`
    const [hits = 0, misses = 0] = await hitsAndMisses()
    const answers = [
      await askNginx(service, `${APP}/x`, { cookie }),
      await askNginx(service, `${APP}/x`, { cookie }),
    ]
    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    expect(await hitsAndMisses()).toEqual([hits, misses + 2])
    for (const answer of answers) expect(await lastLine(answer)).toMatchObject({ note: 'several-cookies' })
    expect(await status(`${APP}/x`, `${alice()}; ${root()}`)).toBe(401)
  })

  it('ckr03 a name with a no-break space before it is another name', async () => {
    row('ckr03')
    for (const space of ['\u00a0', '\u00c2\u00a0', '\u000b', '\u3000'.slice(0, 0)]) {
      const cookie = `${space === '' ? 'x' : space}${root()}; ${alice()}`
      const answer = await askNginx(service, `${APP}/x`, { cookie })
      if (answer.status === 400) continue
      expect([answer.status, headerOf(answer, 'x-auth-request-user')]).toEqual([200, 'corp|alice'])
      expect(await status(`${APP}/admin`, cookie)).toBe(403)
    }
  })

  it('ckr04 a name in other letters is another name', async () => {
    row('ckr04')
    const cookie = root()
    for (const name of [SESSION_COOKIE.toUpperCase(), SESSION_COOKIE.toLowerCase(), '__secure-Postern'])
      expect(await status(`${APP}/x`, cookie.replace(SESSION_COOKIE, name))).toBe(401)
    expect(await status(`${APP}/x`, cookie)).toBe(200)
  })

  it('ckr06 no flipped bit opens', async () => {
    row('ckr06')
    const cookie = alice()
    const from = cookie.indexOf('=') + 1
    for (let at = from; at < cookie.length; at += 1) {
      for (const bit of at === cookie.length - 1 ? [1, 2, 4, 8] : [1 << (at % 7)]) {
        const flipped = String.fromCharCode(cookie.charCodeAt(at) ^ bit)
        const answer = await status(`${APP}/x`, cookie.slice(0, at) + flipped + cookie.slice(at + 1))
        // A control byte in a header never gets as far as a cookie.
        expect([401, 400]).toContain(answer)
      }
    }
    expect(await status(`${APP}/x`, cookie)).toBe(200)
  })

  it('ckr07 a cookie that was sealed for another place does not open', async () => {
    row('ckr07')
    const session = sessionOf('root', ['admins'])
    const ask = (by: Parameters<typeof service.sealed>[1]): Promise<number> =>
      status('https://secure.example.com/', service.sealed(session, by).replace(/^[^=]+/, SESSION_COOKIE))
    expect(await ask({})).toBe(200)
    for (const boundTo of ['app.example.com', 'secure.example.com', 'example.org'])
      expect(await ask({ boundTo })).toBe(401)
    expect(await ask({ cookie: '__Host-postern' })).toBe(401)
  })

  it('ckr08 nothing else that we seal is a session', async () => {
    row('ckr08')
    const browser = makeBrowser(new Map([['auth.example.com', publicHost(service.ports.public)]]))
    const form = await browser.visit(`${PUBLIC}/sign-in`, (url) => url.startsWith(provider.issuer))
    const state = new URL(form.headers.get('location') ?? '').searchParams.get('state') ?? ''
    const [named = ''] = browser.cookiesOf('__Host-postern-bind-')
    const binding = named.replace(/^__Host-postern-bind-|=/g, '')
    expect([state.length, binding.length].every((length) => length > 20)).toBe(true)
    for (const value of [state, binding])
      expect(await status(`${APP}/x`, `${SESSION_COOKIE}=${value}`)).toBe(401)
  })

  it('ckr12 a revocation reaches a decision that is cached', async () => {
    row('ckr12')
    const id = 'a-session-to-revoke-0001'
    const cookie = service.cookie('alice', ['dev'], { id })
    const [hits = 0] = await hitsAndMisses()
    expect([await status(`${APP}/x`, cookie), await status(`${APP}/x`, cookie)]).toEqual([200, 200])
    expect((await hitsAndMisses())[0]).toBe(hits + 1)
    await revoke({ id })
    expect(await status(`${APP}/x`, cookie)).toBe(401)
  })

  it('ckr13 an old key of the ring opens, a removed one does not, and the state goes along', async () => {
    row('ckr13')
    const ring = await makeServiceFolder({
      policies: P0_POLICIES,
      files: { 'new.key': Buffer.alloc(32, 9).toString('base64') },
    })
    const [old, revoked] = [
      ring.cookie('alice', ['dev']),
      ring.cookie('alice', ['dev'], { id: 'revoked-under-old-key' }),
    ]
    const fresh = ring.sealed(sessionOf('alice', ['dev']), { key: Buffer.alloc(32, 9) })
    const with_ = async (keys: readonly string[], ask: () => Promise<void>): Promise<void> => {
      await ring.configure({
        session: { keys: keys.map((file) => ({ file })), domain: 'example.com' },
      })
      const started = await startService(ring)
      await ask()
      await started.close()
    }
    const ask = async (cookie: string): Promise<number> =>
      (await askNginx(ring, `${APP}/x`, { cookie })).status
    await with_(['session.key'], async () => {
      expect([await ask(old), await ask(fresh)]).toEqual([200, 401])
      await revoke({ id: 'revoked-under-old-key' }, ring)
    })
    await with_(['new.key', 'session.key'], async () => {
      expect([await ask(old), await ask(fresh), await ask(revoked)]).toEqual([200, 200, 401])
    })
    await with_(['new.key'], async () => {
      expect([await ask(old), await ask(fresh)]).toEqual([401, 200])
    })
    await ring.remove()
  })
})

const revoke = async (body: unknown, of: ServiceFolder = service): Promise<void> => {
  const answer = await fetch(`${of.adminUrl}/admin/v1/sessions/revoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${of.adminToken}` },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
}

describe('bearer tokens', () => {
  const bearer = async (token: string, path = '/x'): Promise<number> =>
    (await askNginx(service, APP + path, { bearer: token })).status
  const claims = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1000)
    return { iss: issuer.issuer, aud: AUDIENCE, sub: 'robot', iat: now, exp: now + 300, ...changes }
  }
  const unsigned = (): Buffer => Buffer.alloc(0)

  it('a good one is let in: the bad ones below are refused for what is bad about them', async () => {
    expect(await bearer(await issuer.mint())).toBe(200)
    expect(await bearer(await issuer.mint({ groups: ['admins'] }), '/admin')).toBe(200)
  })

  it('jwt01 no algorithm', async () => {
    row('jwt01')
    for (const alg of ['none', 'NoNe', 'NONE', '']) {
      const header = JSON.stringify({ alg, typ: 'at+jwt', kid: issuer.keys()[0]?.kid })
      expect(await bearer(rawToken(header, JSON.stringify(claims()), unsigned))).toBe(401)
    }
  })

  it('jwt02 the public key as a shared secret', async () => {
    row('jwt02')
    const [pair] = issuer.keys()
    if (pair === undefined) throw new Error('the issuer has a key')
    const key = createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }))
    const secrets = [
      key.export({ type: 'spki', format: 'pem' }),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicJwk(pair)),
    ]
    for (const secret of secrets) {
      const header = JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid: pair.kid })
      expect(await bearer(rawToken(header, JSON.stringify(claims()), hmacWith(secret)))).toBe(401)
    }
  })

  it('jwt03 strange key ids, and at most one fetch for all of them', async () => {
    row('jwt03')
    const before = issuer.hits(KEYS_PATH)
    for (const kid of ['../../dev/null', 4711, 'k'.repeat(10_000), 'unknown', '', null])
      expect(await bearer(await issuer.mint({}, { header: { kid } }))).toBe(401)
    expect(issuer.hits(KEYS_PATH) - before).toBeLessThanOrEqual(1)
  })

  it('jwt04 keys from the header are never fetched nor believed', async () => {
    row('jwt04')
    let asked = 0
    const attacker = createServer((_, response) => {
      asked += 1
      response.end('{"keys":[]}')
    })
    await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/keys`
    const key = { ...makeKeyPair(), kid: issuer.keys()[0]?.kid ?? '' }
    for (const header of [{ jku: url }, { x5u: url }, { jwk: publicJwk(key) }, { x5c: ['MIIB'] }])
      expect(await bearer(await issuer.mint({}, { key, header }))).toBe(401)
    await new Promise((resolve) => attacker.close(resolve))
    expect(asked).toBe(0)
  })

  it('jwt05 headers that demand what we do not do', async () => {
    row('jwt05')
    // The library that signs would refuse them too: the parts are put together by hand.
    const [header = '', payload = '', signature = ''] = (await issuer.mint()).split('.')
    const read = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>
    for (const more of [{ crit: ['x'], x: 1 }, { crit: [] }, { b64: false }, { zip: 'DEF' }]) {
      const changed = Buffer.from(JSON.stringify({ ...read, ...more })).toString('base64url')
      expect(await bearer(`${changed}.${payload}.${signature}`)).toBe(401)
    }
  })

  it('jwt08 other audiences', async () => {
    row('jwt08')
    for (const aud of [undefined, 'other', `${AUDIENCE}-evil`, { [AUDIENCE]: 1 }, [], [AUDIENCE, 7], ''])
      expect(await bearer(await issuer.mint({ aud }))).toBe(401)
    expect(await bearer(await issuer.mint({ aud: ['other', AUDIENCE] }))).toBe(200)
  })

  it('jwt09 issuers that are spelt otherwise, and the key of another one', async () => {
    row('jwt09')
    const { issuer: name } = issuer
    for (const iss of [`${name}/`, name.replace('http', 'HTTP'), otherIssuer.issuer])
      expect(await bearer(await issuer.mint({ iss }))).toBe(401)
    expect(await bearer(await otherIssuer.mint())).toBe(200)
  })

  it('jwt10 an ID token or a logout token', async () => {
    row('jwt10')
    expect(await bearer(await issuer.mint({ aud: 'postern', nonce: 'n' }))).toBe(401)
    expect(await bearer(await issuer.mint({}, { header: { typ: 'logout+jwt' } }))).toBe(401)
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    expect(await bearer(await issuer.mint({ events }, { header: { typ: 'JWT' } }))).toBe(401)
  })

  it('jwt12 a key twice', async () => {
    row('jwt12')
    const [header = '', payload = ''] = (await issuer.mint()).split('.')
    const read = Buffer.from(payload, 'base64url').toString()
    const doubled = `${read.slice(0, -1)},"sub":"admin"}`
    const { privateKey } = issuer.keys()[0] ?? makeKeyPair()
    const { sign } = await import('node:crypto')
    const token = rawToken(Buffer.from(header, 'base64url').toString(), doubled, (input) =>
      sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    )
    expect(await bearer(token)).toBe(401)
    const once = rawToken(Buffer.from(header, 'base64url').toString(), read, (input) =>
      sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    )
    expect(await bearer(once)).toBe(200)
  })

  it('jwt14 groups in forms that are not a list of names', async () => {
    row('jwt14')
    const many = Array.from({ length: 10_000 }, (_, index) => `g${index}`)
    for (const groups of [
      'dev,admins',
      ['dev,admins'],
      ['dev\nadmins'],
      [['admins']],
      { admins: true },
      [{ name: 'admins' }],
      [...many, 'admins'],
    ])
      expect(await bearer(await issuer.mint({ groups }), '/admin')).not.toBe(200)
  })

  it('jwt15 another spelling of a token that was revoked', async () => {
    row('jwt15')
    const token = await issuer.mint({ jti: 'to-be-revoked' })
    expect(await bearer(token)).toBe(200)
    await revoke({ id: 'ci|to-be-revoked' })
    const spare = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('')
    for (const last of spare) expect(await bearer(token.slice(0, -1) + last)).toBe(401)
    expect(await bearer(await issuer.mint({ jti: 'another' }))).toBe(200)
  })

  it('jwt16 more than a token', async () => {
    row('jwt16')
    const token = await issuer.mint()
    for (const text of [
      `${token}.a.b`,
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token} x`,
      `"${token}"`,
      `${token},`,
    ])
      expect(await bearer(text)).toBe(401)
    for (const text of [`${token}\n`, `${token}\r`, `${token}\u0000`])
      expect(REJECTED).toContain(await bearer(text))
  })
})

describe('redirect targets at /sign-in', () => {
  const HOME = `${PUBLIC}/me`
  const signIn = async (query: string, cookie?: string): Promise<RawAnswer> =>
    sendRaw(
      service.ports.public,
      requestText('GET', `/sign-in?${query}`, [
        ['Host', 'auth.example.com'],
        ['Accept', 'text/html'],
        ['Sec-Fetch-Mode', 'navigate'],
        ['Sec-Fetch-Dest', 'document'],
        ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
      ]),
    )
  const rd = (text: string): string => `rd=${encodeURIComponent(text)}`
  const queriesOf = ({ id, input }: Row): readonly string[] => {
    if (id === 'rdr34') return [`${rd('/ok')}&${rd('//evil.com')}`, `${rd(`${APP}/ok`)}&${rd('//evil.com')}`]
    if (id === 'rdr35') return [rd(`/${'a'.repeat(9000)}`)]
    return input
      .replace(/ \(.*$/, '')
      .split(' ; ')
      .map((part) => rd(unescape(part)))
  }
  const cases = ROWS.filter(({ surface }) => surface === 'rd').flatMap((one) =>
    queriesOf(one).map((query) => ({ id: one.id, query, expectation: one.expectation })),
  )

  it.each(cases)('$id $query', async ({ id, query, expectation }) => {
    row(id)
    const signedIn = await signIn(query, alice())
    const kept = `${APP}//evil.com`
    const targets = expectation.startsWith('SAFE') ? [HOME] : [HOME, kept]
    expect(signedIn.status).toBe(303)
    expect(signedIn.headers.get('location')).toHaveLength(1)
    expect(targets).toContain(headerOf(signedIn, 'location'))
    const anonymous = await signIn(query)
    const location = refreshIn(anonymous.body) ?? ''
    expect(location.startsWith(`${provider.issuer}/auth?`)).toBe(true)
    if (expectation.startsWith('SAFE')) expect(signedIn.head + anonymous.head).not.toContain('evil')
    expect(anonymous.headers.get('set-cookie')?.length).toBe(1)
    for (const answer of [signedIn, anonymous]) expect(answer.headers.has('x')).toBe(false)
  })

  it('a target that some route lists is kept', async () => {
    expect(headerOf(await signIn(rd(`${APP}/d?x=1#top`), alice()), 'location')).toBe(`${APP}/d?x=1#top`)
  })
})

describe('the callback', () => {
  const APP_PAGE = `${APP}/x`
  const newBrowser = (): Browser =>
    makeBrowser(new Map([['auth.example.com', publicHost(service.ports.public)]]))
  const toForm = (browser: Browser): Promise<Shown> =>
    browser.visit(`${PUBLIC}/sign-in?rd=${encodeURIComponent(APP_PAGE)}`)
  /** Signs in at the provider and stops before the way back is opened. */
  const callbackOf = async (browser: Browser, form: Shown): Promise<string> => {
    const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
    const posted = await browser.post(new URL(action, form.url).href, {
      username: 'ada',
      password: 'ada',
      action: 'login',
    })
    const stopped = await browser.follow(posted, (url) => url.startsWith(PUBLIC))
    return new URL(stopped.headers.get('location') ?? '', stopped.url).href
  }
  const refused = async (browser: Browser, url: string): Promise<void> => {
    const shown = await browser.get(url)
    expect(shown.status).toBe(403)
    expect(shown.body).toMatch(/PST-10\d\d/)
    expect(shown.body).toContain('/sign-in')
    expect(browser.cookie(SESSION_COOKIE)).toBeUndefined()
  }
  const changed = (url: string, change: (parameters: URLSearchParams) => void): string => {
    const next = new URL(url)
    change(next.searchParams)
    return next.href
  }

  it('cbk01 never makes a session of what does not belong to a sign-in of this browser', async () => {
    row('cbk01')
    const browser = newBrowser()
    const good = await callbackOf(browser, await toForm(browser))
    await refused(newBrowser(), good)
    await refused(
      browser,
      changed(good, (query) => query.delete('state')),
    )
    await refused(
      browser,
      changed(good, (query) => query.set('state', 'made-up')),
    )
    await refused(
      browser,
      changed(good, (query) => query.append('state', query.get('state') ?? '')),
    )
    await refused(
      browser,
      changed(good, (query) => query.append('code', 'another')),
    )
    clock.aheadMs = 11 * 60_000
    await refused(browser, good)
    clock.aheadMs = 0
    const back = await browser.get(good)
    expect([back.status, onwardOf(back)]).toEqual([200, APP_PAGE])
    expect(browser.cookie(SESSION_COOKIE)).toBeDefined()
    const again = await browser.get(good)
    expect([again.status, onwardOf(again)]).toEqual([200, APP_PAGE])
    // The code once more, in another sign-in.
    const other = newBrowser()
    const theirs = await callbackOf(other, await toForm(other))
    const code = new URL(good).searchParams.get('code') ?? ''
    await refused(
      other,
      changed(theirs, (query) => query.set('code', code)),
    )
  })

  it.each<readonly [string, (wrong: TestProvider['misbehave']) => void]>([
    ['another nonce', (wrong) => (wrong.idToken = (claims) => ({ ...claims, nonce: 'another' }))],
    ['no issuer', (wrong) => (wrong.authorizationResponse = (url) => url.searchParams.delete('iss'))],
    [
      'another issuer',
      (wrong) => (wrong.authorizationResponse = (url) => url.searchParams.set('iss', 'https://evil.com')),
    ],
    ['a foreign signature', (wrong) => (wrong.signature = 'foreign')],
    ['no signature', (wrong) => (wrong.signature = 'none')],
    ['another audience', (wrong) => (wrong.idToken = (claims) => ({ ...claims, aud: 'other' }))],
  ])('cbk01 %s', async (_, distort) => {
    const browser = newBrowser()
    const form = await toForm(browser)
    distort(provider.misbehave)
    const url = await callbackOf(browser, form)
    await refused(browser, url)
    for (const name of ['idToken', 'authorizationResponse', 'signature'] as const)
      provider.misbehave[name] = undefined
  })

  it('cbk03 many sign-ins leave one small cookie', async () => {
    row('cbk03')
    const browser = newBrowser()
    const names = new Set<string>()
    for (let index = 0; index < 300; index += 1) {
      const shown = await browser.get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP_PAGE}?${index}`)}`)
      for (const line of shown.headers.getSetCookie()) names.add(line.split('=')[0] ?? '')
    }
    expect([...names]).toEqual([expect.stringMatching(/^__Host-postern-bind-[\w-]{6}$/)])
  })

  it('cbk04 a logout token with a fault revokes nothing; one without ends the session, once', async () => {
    row('cbk04')
    const cookie = service.cookie('dana', ['dev'])
    const nowSeconds = Math.floor(Date.now() / 1000)
    const good = {
      iss: provider.issuer,
      aud: 'postern',
      sub: 'dana',
      iat: nowSeconds,
      exp: nowSeconds + 120,
      jti: 'cbk04',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    }
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const send = async (token: string): Promise<number> =>
      (
        await fetch(`${postern.publicAddress}/backchannel-logout`, {
          method: 'POST',
          body: new URLSearchParams({ logout_token: token }),
        })
      ).status
    for (const token of [
      '',
      'x',
      await provider.sign({ ...good, nonce: 'n' }),
      await provider.sign({ ...good, events: {} }),
      `${part({ alg: 'none' })}.${part(good)}.`,
      await provider.sign(good, {}, 'foreign'),
      // Of an issuer that is believed for bearer tokens, about the same name.
      await issuer.mint({ ...good, iss: issuer.issuer }, { header: { typ: 'logout+jwt' } }),
    ]) {
      expect(await send(token)).toBe(400)
      expect(await status(APP_PAGE, cookie)).toBe(200)
    }
    const token = await provider.sign(good)
    expect(await send(token)).toBe(200)
    expect(await status(APP_PAGE, cookie)).toBe(401)
    expect(await send(token)).toBe(400)
  })
})

describe('identities', () => {
  const NAMES = [
    '\u03a9',
    'a\r\nX-Admin: 1',
    'a,b',
    ' a ',
    'n'.repeat(1800),
    '"><script>',
    '%0d%0aX-Admin: 1',
    '\u0000',
  ]

  it.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 40), name] as const))(
    'ids01 the name %s stays one value of one header',
    async (_, name) => {
      row('ids01')
      const cookie = service.cookie('alice', ['dev', name.slice(0, 20)], {
        claims: { email: name, preferred_username: name.slice(0, 200), groups: ['dev', name.slice(0, 20)] },
      })
      for (const answer of [
        await askNginx(service, `${APP}/x`, { cookie }),
        await askForward(service, `${APP}/x`, { cookie }),
      ]) {
        expect(answer.status).toBe(200)
        expect(answer.headers.has('x-admin')).toBe(false)
        expect(answer.headers.has('x-admin: 1')).toBe(false)
        for (const header of ['user', 'email', 'groups', 'preferred-username']) {
          const values = answer.headers.get(`x-auth-request-${header}`)
          expect(values).toHaveLength(1)
          expect(values?.[0]).toMatch(/^[\u0020-\u007e]*$/)
        }
        expect(Buffer.byteLength(answer.head)).toBeLessThan(4096 + 3000)
      }
    },
  )

  it('ids01 a name of 8 kB is left out or told, and never throws', async () => {
    row('ids01')
    const browser = makeBrowser(new Map([['auth.example.com', publicHost(service.ports.public)]]))
    const form = await browser.visit(`${PUBLIC}/sign-in`)
    provider.misbehave.idToken = (claims) => ({ ...claims, preferred_username: 'n'.repeat(8192) })
    const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
    const fields = { username: 'ada', password: 'ada', action: 'login' }
    const shown = await browser.follow(await browser.post(new URL(action, form.url).href, fields))
    provider.misbehave.idToken = undefined
    expect(shown.status).toBe(200)
    const answer = await askNginx(service, `${APP}/x`, {
      cookie: `${SESSION_COOKIE}=${browser.cookie(SESSION_COOKIE)}`,
    })
    expect([answer.status, headerOf(answer, 'x-auth-request-preferred-username')]).toEqual([200, ''])
  })
})

describe('policies', () => {
  let folder: ServiceFolder
  let reloaded: RunningPostern
  beforeAll(async () => {
    folder = await makeServiceFolder({ policies: P0_POLICIES })
    reloaded = await startService(folder)
  })
  afterAll(async () => {
    await reloaded.close()
    await folder.remove()
  })
  /** Writes one file, loads, and says what the service then is: the old verdicts must stand in any case. */
  const kept = async (text: string): Promise<string> => {
    await folder.write('policies/secure.yaml', text)
    const { kind } = await reloaded.reload()
    const verdicts = await Promise.all(
      [folder.cookie('alice', ['dev']), folder.cookie('root', ['admins']), undefined].map(
        async (cookie) => (await askNginx(folder, 'https://secure.example.com/x', { cookie })).status,
      ),
    )
    expect(verdicts).toEqual([403, 200, 401])
    expect((await fetch(`${folder.adminUrl}/readyz`)).status).toBe(200)
    if (kind === 'loaded') {
      await folder.write('policies/secure.yaml', SECURE)
      await reloaded.reload()
    }
    return kind
  }
  const SECURE = P0_POLICIES['secure.yaml'] ?? ''
  const withRule = (rule: string): string => SECURE.replace('{id: admins, groups: [admins]}', rule)

  it.each([
    ['empty', ''],
    ['a comment', '# nothing\n'],
    ['a key without value', 'rules:\n'],
    ['two documents', `${SECURE}---\n${SECURE}`],
    ['a key twice', `${SECURE}route: other\n`],
    ['an unknown key', `${SECURE}alow: []\n`],
    ['an alias bomb', `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b, *b]\n${SECURE}`],
    ['an alias', SECURE.replace('[admins]', '&a [admins]')],
    ['a tag', SECURE.replace('secure\n', '!!str secure\n')],
    ['a merge key', `${SECURE}<<: {route: other}\n`],
    ['tabs', SECURE.replaceAll('  allow', '\tallow')],
    ['ten megabytes', `${SECURE}# ${'x'.repeat(10_000_000)}\n`],
    ['bytes that are no text', `${SECURE}# \u0000\n`],
  ])('pol01 %s keeps the last good set', async (_, text) => {
    row('pol01')
    expect(await kept(text)).toBe('refused')
  })

  it('pol01 a byte order mark changes no verdict', async () => {
    row('pol01')
    expect(['refused', 'loaded', 'unchanged']).toContain(await kept(`\ufeff${SECURE}`))
  })

  it('pol01 cut off after any byte it is refused, and a service keeps its verdicts', async () => {
    row('pol01')
    for (let end = 0; end < SECURE.length - 1; end += 1) {
      await folder.write('cut/secure.yaml', SECURE.slice(0, end))
      expect([end, (await loadPolicies(`${folder.folder}/cut`)).kind]).toEqual([end, 'refused'])
    }
    for (const line of ['route', 'hosts', 'sections', '- path', '  allow', 'admins]'])
      expect(await kept(SECURE.slice(0, SECURE.indexOf(line) + line.length))).toBe('refused')
  })

  it.each([
    ['a regular expression as a path', SECURE.replace('path: /', 'path: "^/(a+)+$"')],
    ['a regular expression as a host', SECURE.replace('secure.example.com', '"secure.*"')],
    ['a dot for any letter', SECURE.replace('secure.example.com', '"secure.example.com$"')],
    ['a path without a slash', SECURE.replace('path: /', 'path: health')],
    ['flags', SECURE.replace('path: /', 'path: "/health/i g"')],
  ])('pol02 %s is no pattern', async (_, text) => {
    row('pol02')
    expect(await kept(text)).toBe('refused')
  })

  it.each([
    ['NO for a list', withRule('NO').replace('[NO]', 'NO')],
    ['a port', SECURE.replace('[secure.example.com]', '["secure.example.com:010"]')],
    ['a number for a group', withRule('{id: admins, groups: [1.10]}')],
    ['a date for a group', withRule('{id: admins, groups: [2026-01-01]}')],
    ['a boolean for a group', withRule('{id: admins, groups: [true]}')],
    ['a number for a route', SECURE.replace('route: secure', 'route: 010')],
    ['a date that is none', withRule('{id: admins, groups: [admins], until: 2026-02-30}')],
  ])('pol03 %s is an error, not another value', async (_, text) => {
    row('pol03')
    expect(await kept(text)).toBe('refused')
  })

  it('pol04 deny wins, in whichever order', async () => {
    row('pol04')
    const allow = '  allow: [{id: admins, groups: [admins]}]\n'
    const deny = '  deny: [{id: nobody, groups: [admins]}]\n'
    for (const lines of [allow + deny, deny + allow]) {
      await folder.write('policies/secure.yaml', SECURE.replace(allow, lines))
      expect((await reloaded.reload()).kind).not.toBe('refused')
      const cookie = folder.cookie('root', ['admins'])
      expect((await askNginx(folder, 'https://secure.example.com/x', { cookie })).status).toBe(403)
    }
    await folder.write('policies/secure.yaml', SECURE)
    await reloaded.reload()
  })
})

describe('what people and scrapers see', () => {
  it('ui02 a name and a user agent with markup are inert on the page and in the log', async () => {
    row('ui02')
    const markup = '<img src=x onerror=alert(1)>'
    const cookie = service.cookie('alice', ['dev'], {
      claims: { email: markup, name: markup, preferred_username: markup, groups: ['dev'] },
    })
    const answer = await askForward(
      service,
      `${APP}/admin/${encodeURIComponent(markup)}?q=${encodeURIComponent(markup)}`,
      {
        cookie,
        headers: [
          ['User-Agent', `${markup}=cmd()`],
          ['Accept', 'text/html'],
          ['Sec-Fetch-Mode', 'navigate'],
        ],
      },
    )
    expect([answer.status, headerOf(answer, 'content-type')]).toEqual([403, 'text/html; charset=utf-8'])
    expect(answer.body).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(answer.body).not.toContain('<img')
    expect(headerOf(answer, 'content-security-policy')).toContain("default-src 'none'")
    expect(await lastLine(answer)).toMatchObject({ src: { ua: `${markup}=cmd()` } })
  })

  it('ui04 the public port has neither health nor decisions, whoever claims to be near', async () => {
    row('ui04')
    const paths = [
      '/metrics',
      '/healthz',
      '/readyz',
      '/livez',
      '/version',
      '/admin/v1/status',
      '/authz/nginx',
      '/authz/forward',
      '/authz/ext/',
      '/authz/ext/public/x',
      '/oauth2/auth',
      '/api/verify',
      '/api/authz/auth-request',
      '/validate',
      '/.env',
      '/',
    ]
    for (const path of paths) {
      const headers = [
        ['Host', 'auth.example.com'],
        ['X-Forwarded-For', '127.0.0.1'],
        ['X-Original-URL', 'https://pub.example.com/'],
        ['X-Original-Method', 'GET'],
        ['X-Forwarded-Host', 'pub.example.com'],
        ['X-Forwarded-Uri', '/'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Method', 'GET'],
        ['Cookie', root()],
      ] as const
      const answer = await sendRaw(service.ports.public, requestText('GET', path, headers))
      expect([path, answer.status]).toEqual([path, 404])
      const decision = await sendRaw(service.ports.decision, requestText('GET', path, [['Host', 'x']]))
      if (!path.startsWith('/authz/')) expect([path, decision.status]).toEqual([path, 404])
    }
    const text = await (await fetch(`${service.adminUrl}/metrics`)).text()
    const named = ['alice', 'root', 'example.com'].filter((word) => text.includes(word))
    expect(named).toEqual([])
  })
})

describe('every line of attacks.txt', () => {
  it('is run here, or is listed with the reason', () => {
    expect(ROWS.map(({ id }) => id).filter((id) => !ran.has(id) && !(id in LATER))).toEqual([])
    expect(Object.keys(LATER).filter((id) => ran.has(id))).toEqual([])
    expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length)
    expect(ROWS.length).toBeGreaterThan(85)
  })

  it('what is listed for later is refused meanwhile', async () => {
    for (const text of ['alice:secret', 'nocolon', ':', 'alice:', `${'x'.repeat(72)}:y`]) {
      const headers = [['Authorization', `Basic ${Buffer.from(text).toString('base64')}`]] as const
      expect((await askNginx(service, `${APP}/x`, { headers })).status).toBe(401)
    }
  })
})
