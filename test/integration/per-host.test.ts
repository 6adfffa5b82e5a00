// One session cookie for each host, from an application that refuses to its page and out again: over real sockets, with
// a real provider. Only host names are made up. The applications are on two domains: no cookie of a domain spans them.
import { afterEach, describe, expect, it } from 'vitest'
import type { RunningPostern } from '../../src/server/serve.ts'
import { nginxGuardedHost, publicHost } from '../support/front-hosts.ts'
import { SECOND_FACTOR_ACR, startTestProvider, type TestProvider } from '../support/oidc-provider.ts'
import type { RawAnswer } from '../support/raw-http.ts'
import { askForward, askNginx, headerOf, seriesOf, startService } from '../support/running-service.ts'
import { CLIENT_SECRET, makeServiceFolder, sessionOf, type ServiceFolder } from '../support/service-folder.ts'
import { makeBrowser, type Browser, type Serve, type Shown } from '../unit/signin/browser.ts'

const A = 'https://a.example.com'
const B = 'https://b.example.org'
const AUTH = 'https://login.example.com'
const COOKIE = '__Host-postern'
const NONCE = '__Host-postern-nonce'

const policy = (id: string, host: string): string => `apiVersion: postern/v1
route: ${id}
owner: team
hosts: [${host}, also-${host}]
echo: [authorization, cookie]
sections:
- path: /
  allow: [{id: sre, groups: [sre]}]
- path: /strong
  allow: [{id: strong, groups: [sre], mfa: true}]
- path: /open
  allow: [{id: all, anyone: true, why: a page for everybody, review: 2099-01-01}]
`

interface World {
  readonly provider: TestProvider
  readonly service: ServiceFolder
  readonly postern: RunningPostern
  readonly decisions: RawAnswer[]
  readonly browser: () => Browser
  readonly clock: { aheadMs: number }
  /** A session cookie of a host, as `name=value`. */
  readonly sealedFor: (host: string, changes?: Parameters<typeof sessionOf>[2]) => string
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

interface Plan {
  readonly publicUrl?: string
  readonly session?: Readonly<Record<string, unknown>>
  /** Hosts of the two applications, with their port where they have one. */
  readonly hosts?: readonly [string, string]
  readonly scheme?: 'http' | 'https'
  readonly refreshTokens?: boolean
}

const APP_HOSTS = ['a.example.com', 'b.example.org'] as const

const makeWorld = async (plan: Plan = {}): Promise<World> => {
  const { publicUrl = AUTH, session = {}, hosts: [a, b] = APP_HOSTS, scheme = 'https' } = plan
  const provider = await startTestProvider(
    {
      clientId: 'postern',
      clientSecret: CLIENT_SECRET,
      redirectUris: [`${publicUrl}/callback/corp`],
      postLogoutRedirectUris: [`${publicUrl}/signed-out`],
    },
    { claimsInIdToken: true, endSession: true, refreshTokens: plan.refreshTokens ?? false },
  )
  ending.push(provider.close)
  const service = await makeServiceFolder({
    policies: {
      'a.yaml': policy('a', a.split(':', 1)[0] ?? ''),
      'b.yaml': policy('b', b.split(':', 1)[0] ?? ''),
    },
    settings: {
      publicUrl,
      proxies: { trusted: ['127.0.0.1/32'], externalScheme: scheme },
      session: { keys: [{ file: 'session.key' }], host: true, ...session },
      providers: [
        {
          id: 'corp',
          issuer: provider.issuer,
          clientId: 'postern',
          clientSecret: { file: 'oidc.secret' },
          scopes: ['openid', 'profile', 'email', 'groups'],
          claims: { groups: 'groups' },
          mfa: { acr: [SECOND_FACTOR_ACR] },
        },
      ],
    },
  })
  ending.push(service.remove)
  const clock = { aheadMs: 0 }
  const postern = await startService(service, { nowMs: () => Date.now() + clock.aheadMs })
  ending.push(() => postern.close())
  const decisions: RawAnswer[] = []
  const ours = publicHost(service.ports.public)
  const guarded = nginxGuardedHost(service.ports.decision, decisions)
  const app: Serve = (asked) => (asked.url.pathname.startsWith('/postern/') ? ours(asked) : guarded(asked))
  const hosts = new Map<string, Serve>([
    [new URL(publicUrl).host, ours],
    [a, app],
    [b, app],
  ])
  return {
    provider,
    service,
    postern,
    decisions,
    browser: () => makeBrowser(hosts),
    clock,
    sealedFor: (host, changes = {}) =>
      service.sealed(sessionOf('ada', ['sre'], changes), { cookie: COOKIE, boundTo: host }),
  }
}

const logIn = async (
  browser: Browser,
  form: Shown,
  who: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Shown> => {
  expect(form.body).toContain('<title>Test provider</title>')
  const action = /<form method="post" action="([^"]+)"/.exec(form.body)?.[1] ?? ''
  const fields = { username: who, password: who, action: 'login', ...extra }
  return browser.follow(await browser.post(new URL(action, form.url).href, fields))
}

/** What a browser that holds on before a URL would open next. */
const nextOf = (shown: Shown): string => new URL(shown.headers.get('location') ?? '', shown.url).href

const stations = (browser: Browser): readonly string[] =>
  browser.history
    .map((url) => new URL(url))
    .filter(({ hostname }) => hostname !== '127.0.0.1')
    .map(({ host, pathname }) => host + pathname)

const cookieOn = (browser: Browser, origin: string, name: string): string | undefined => {
  const { hostname } = new URL(origin)
  return browser.cookies().find((one) => one.name === name && one.domain === hostname)?.value
}

const signedInOnBoth = async (world: World): Promise<Browser> => {
  const browser = world.browser()
  await logIn(browser, await browser.visit(`${A}/d/1`), 'ada')
  expect((await browser.visit(`${B}/d/2`)).body).toBe('application /d/2')
  return browser
}

const carry = (browser: Browser, origin: string): string => `${COOKIE}=${cookieOn(browser, origin, COOKIE)}`

describe('a session for each host', () => {
  it('brings a person through the provider and the hop to the very page, then to the other host without a question', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    const page = await logIn(browser, await browser.visit(`${A}/d/1?from=now-1h`), 'ada')
    expect([page.url, page.body]).toEqual([`${A}/d/1?from=now-1h`, 'application /d/1'])
    expect(stations(browser)).toEqual([
      'a.example.com/d/1',
      'login.example.com/sign-in',
      'login.example.com/callback/corp',
      'a.example.com/postern/leave',
      'login.example.com/sign-in',
      'a.example.com/postern/land',
      'a.example.com/d/1',
    ])
    const before = browser.history.length
    expect((await browser.visit(`${B}/d/2`)).body).toBe('application /d/2')
    expect(browser.history.slice(before).some((url) => url.startsWith(world.provider.issuer))).toBe(false)
    expect(
      browser
        .cookies()
        .filter(({ name }) => name === COOKIE)
        .map(({ domain, hostOnly }) => [domain, hostOnly]),
    ).toEqual([
      ['login.example.com', true],
      ['a.example.com', true],
      ['b.example.org', true],
    ])
  })

  it('opens on its own host alone, the host of sign-in included, cached or not', async () => {
    const world = await makeWorld()
    const browser = await signedInOnBoth(world)
    const ask = async (url: string, from: string): Promise<number> =>
      (await askNginx(world.service, url, { cookie: carry(browser, from) })).status
    for (let round = 0; round < 2; round += 1) {
      expect([await ask(`${A}/x`, A), await ask(`${B}/x`, B)]).toEqual([200, 200])
      expect([await ask(`${B}/x`, A), await ask(`${A}/x`, B)]).toEqual([401, 401])
      expect([await ask(`${A}/x`, AUTH), await ask(`${B}/x`, AUTH)]).toEqual([401, 401])
    }
    expect(
      (await seriesOf(world.service, 'postern_cache_requests_total')).get(
        '{cache="decisions",outcome="hit"}',
      ),
    ).toBeGreaterThan(0)
    const me = publicHost(world.service.ports.public)
    const asked = { method: 'GET', url: new URL(`${AUTH}/me.json`), headers: new Map(), form: [] }
    const status = async (from: string): Promise<number> =>
      (await me({ ...asked, cookies: [carry(browser, from)] })).status
    expect([await status(AUTH), await status(A)]).toEqual([200, 401])
  })

  it('is cached for its own host alone, not for another one of the same route', async () => {
    const world = await makeWorld()
    const cookie = world.sealedFor('a.example.com')
    const status = async (host: string): Promise<number> =>
      (await askNginx(world.service, `https://${host}/x`, { cookie })).status
    const hosts = ['a.example.com', 'also-a.example.com', 'a.example.com', 'also-a.example.com']
    const statuses: number[] = []
    for (const host of hosts) statuses.push(await status(host))
    expect(statuses).toEqual([200, 401, 200, 401])
  })

  it('ends on every host by one sign-out, in the cache too', async () => {
    const world = await makeWorld()
    const browser = await signedInOnBoth(world)
    const ask = async (origin: string): Promise<number> =>
      (await askNginx(world.service, `${origin}/x`, { cookie: carry(browser, origin) })).status
    expect([await ask(A), await ask(B)]).toEqual([200, 200])
    const confirm = await browser.get(`${AUTH}/sign-out`)
    const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
    expect((await browser.post(`${AUTH}/sign-out`, { token })).status).toBe(200)
    expect([await ask(A), await ask(B)]).toEqual([401, 401])
  })

  it('stays one session by a stronger sign-in, so that sign-out still reaches the copy on the other host', async () => {
    const world = await makeWorld()
    const browser = await signedInOnBoth(world)
    const strong = await logIn(browser, await browser.visit(`${B}/strong`), 'ada', { 'second-factor': 'yes' })
    expect(strong.body).toBe('application /strong')
    expect((await askNginx(world.service, `${A}/x`, { cookie: carry(browser, A) })).status).toBe(200)
    const confirm = await browser.get(`${AUTH}/sign-out`)
    const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
    await browser.post(`${AUTH}/sign-out`, { token })
    for (const origin of [A, B])
      expect((await askNginx(world.service, `${origin}/x`, { cookie: carry(browser, origin) })).status).toBe(
        401,
      )
  })

  it('of another person ends on every host when somebody else signs in', async () => {
    const world = await makeWorld()
    const browser = await signedInOnBoth(world)
    const form = await browser.visit(
      `${AUTH}/sign-in?rd=${encodeURIComponent(`${B}/d`)}&prompt=select_account`,
    )
    expect((await logIn(browser, form, 'ben')).status).toBe(403)
    expect((await askNginx(world.service, `${A}/x`, { cookie: carry(browser, A) })).status).toBe(401)
  })

  it('lets ten tabs on two hosts in at once', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${AUTH}/sign-in`), 'ada')
    const urls = Array.from({ length: 10 }, (_, index) => `${index % 2 === 0 ? A : B}/tab/${index}`)
    const pages = await Promise.all(urls.map((url) => browser.visit(url)))
    expect(pages.map(({ url }) => url)).toEqual(urls)
    expect(pages.map(({ body }) => body)).toEqual(urls.map((url) => `application ${new URL(url).pathname}`))
  })

  it('is learned anew from its provider on whichever host it is due, for all of them', async () => {
    const world = await makeWorld({ refreshTokens: true })
    const browser = await signedInOnBoth(world)
    const ask = async (origin: string): Promise<number> =>
      (await askNginx(world.service, `${origin}/x`, { cookie: carry(browser, origin) })).status
    expect([await ask(A), await ask(B)]).toEqual([200, 200])
    world.provider.misbehave.groups = { ada: ['guests'] }
    world.clock.aheadMs = 11 * 60_000
    const asked = (): number => world.provider.requests.filter((one) => one === 'POST /token').length
    const before = asked()
    expect([await ask(A), await ask(B)]).toEqual([403, 403])
    expect(asked()).toBe(before + 1)
  })

  it('is asked about silently, once for both hosts, where the provider gave nothing to ask with', async () => {
    const world = await makeWorld()
    const browser = await signedInOnBoth(world)
    world.clock.aheadMs = 11 * 60_000
    const toProvider = (): number => browser.history.filter((url) => url.includes('/auth?')).length
    const before = toProvider()
    for (const origin of [A, B])
      expect((await browser.visit(`${origin}/again`)).body).toBe('application /again')
    expect(toProvider()).toBe(before + 1)
  })

  it('works on localhost without TLS, where browsers take no prefix', async () => {
    const hosts = ['a.postern.localhost:8080', 'b.postern.localhost:8080'] as const
    const publicUrl = 'http://auth.postern.localhost:8080'
    const world = await makeWorld({ publicUrl, hosts, scheme: 'http' })
    const browser = world.browser()
    const page = await logIn(browser, await browser.visit(`http://${hosts[0]}/d/1`), 'ada')
    expect([page.url, page.body]).toEqual([`http://${hosts[0]}/d/1`, 'application /d/1'])
    expect((await browser.visit(`http://${hosts[1]}/d/2`)).body).toBe('application /d/2')
    const cookie = `postern=${cookieOn(browser, `http://${hosts[0]}`, 'postern')}`
    const status = async (host: string): Promise<number> =>
      (await askNginx(world.service, `http://${host}/x`, { cookie })).status
    expect([await status(hosts[0]), await status(hosts[1])]).toEqual([200, 401])
  })

  it('is not asked of a page that is for everybody', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    expect((await browser.visit(`${A}/open`)).body).toBe('application /open')
    expect(browser.cookies()).toEqual([])
  })

  it('is renewed for its own host, and never moved to another one', async () => {
    const world = await makeWorld()
    const aged = { issuedAtSeconds: Math.floor(Date.now() / 1000) - 45 * 60 }
    const cookie = world.sealedFor('a.example.com', aged)
    const renewed = await askNginx(world.service, `${A}/x`, { cookie })
    const line = headerOf(renewed, 'set-cookie') ?? ''
    expect(line).toMatch(/^__Host-postern=[\w-]+; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax$/)
    const value = line.split(';', 1)[0] ?? ''
    const status = async (origin: string): Promise<number> =>
      (await askNginx(world.service, `${origin}/x`, { cookie: value })).status
    expect([await status(A), await status(B)]).toEqual([200, 401])
    // Served as A, reported as B: both open to everybody, and A opens the cookie.
    for (const [served, reported] of [
      ['a.example.com', B],
      ['b.example.org', A],
    ] as const) {
      const both = await askNginx(world.service, `${reported}/open`, {
        cookie,
        headers: [['X-Postern-Host', served]],
      })
      expect([both.status, headerOf(both, 'set-cookie')]).toEqual([200, undefined])
    }
  })

  it('keeps its cookies from the application where the route echoes the others', async () => {
    const world = await makeWorld()
    const cookie = `${world.sealedFor('a.example.com')}; theme=dark; ${NONCE}=${'n'.repeat(24)}; __Host-postern-bind-bbbbbb=${'b'.repeat(24)}`
    const allowed = await askForward(world.service, `${A}/x`, { cookie })
    expect([allowed.status, headerOf(allowed, 'cookie')]).toEqual([200, 'theme=dark'])
  })

  it('tells on the denied page who is refused, by the cookies that the proxy or the browser brings', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${AUTH}/sign-in`), 'ben')
    const atHome = await browser.get(`${AUTH}/denied?rd=${encodeURIComponent(`${A}/x`)}`)
    expect([atHome.status, atHome.body.includes('ben@example.com')]).toEqual([403, true])
    const byProxy = await publicHost(world.service.ports.public)({
      method: 'GET',
      url: new URL(`${AUTH}/denied`),
      headers: new Map([
        ['x-original-url', `${A}/x`],
        ['accept', 'text/html'],
      ]),
      cookies: [
        world.service.sealed(sessionOf('cy', ['contractors']), { cookie: COOKIE, boundTo: 'a.example.com' }),
      ],
      form: [],
    })
    expect([byProxy.status, (await byProxy.text()).includes('cy@example.com')]).toEqual([403, true])
  })
})

describe('what the way to another host does not give', () => {
  /** Stops before landing: the address with the ticket. */
  const ticketFor = async (world: World, url: string): Promise<readonly [Browser, string]> => {
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${AUTH}/sign-in`), 'ada')
    const stopped = await browser.visit(url, (next) => next.includes('/postern/land'))
    return [browser, nextOf(stopped)]
  }

  it('a second session for one ticket', async () => {
    const world = await makeWorld()
    const [browser, land] = await ticketFor(world, `${A}/x`)
    expect((await browser.get(land)).headers.getSetCookie()).toHaveLength(1)
    const nonce = cookieOn(browser, A, NONCE)
    const thief = world.browser()
    thief.setCookie(`${A}/`, `${NONCE}=${nonce}; Path=/; Secure`)
    const again = await thief.get(land)
    expect([again.status, again.body.includes('PST-1030'), again.headers.getSetCookie()]).toEqual([
      403,
      true,
      [],
    ])
    expect((await browser.visit(land)).body).toBe('application /x')
  })

  it('a session by the ticket of another browser', async () => {
    const world = await makeWorld()
    const [, land] = await ticketFor(world, `${A}/x`)
    const victim = world.browser()
    const shown = await victim.visit(land)
    expect([shown.status, shown.body.includes('PST-1031')]).toEqual([403, true])
    expect(cookieOn(victim, A, COOKIE)).toBeUndefined()
  })

  it('a session on a host that the ticket is not for', async () => {
    const world = await makeWorld()
    const [browser, land] = await ticketFor(world, `${A}/x`)
    const moved = new URL(land)
    moved.host = new URL(B).host
    browser.setCookie(`${B}/`, `${NONCE}=${cookieOn(browser, A, NONCE)}; Path=/; Secure`)
    const shown = await browser.get(moved.href)
    expect([shown.status, shown.body.includes('PST-1032'), shown.headers.getSetCookie()]).toEqual([
      403,
      true,
      [],
    ])
  })

  it('a session that came too late, or was ended on the way', async () => {
    const world = await makeWorld()
    const [late, lateLand] = await ticketFor(world, `${A}/x`)
    world.clock.aheadMs = 31_000
    expect((await late.get(lateLand)).body).toContain('PST-1030')
    const [browser, land] = await ticketFor(world, `${B}/x`)
    const confirm = await browser.get(`${AUTH}/sign-out`)
    const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
    await browser.post(`${AUTH}/sign-out`, { token })
    const shown = await browser.get(land)
    expect([shown.status, shown.body.includes('PST-1033'), shown.headers.getSetCookie()]).toEqual([
      403,
      true,
      [],
    ])
  })

  it('a line in the log that holds the ticket, the nonce or a cookie', async () => {
    const world = await makeWorld()
    const [browser, land] = await ticketFor(world, `${A}/x`)
    await browser.get(land)
    await world.browser().get(land)
    await world.postern.close()
    const text = await world.service.read('decisions.ndjson')
    expect(text).toContain('PST-1030')
    const secrets = [new URL(land).searchParams.get('ticket'), ...browser.cookies().map(({ value }) => value)]
    for (const secret of secrets) expect(text).not.toContain(secret)
  })
})

describe('where one cookie serves the whole domain', () => {
  it('nothing answers on the hosts of applications', async () => {
    const service = await makeServiceFolder({ policies: { 'a.yaml': policy('a', 'a.example.com') } })
    ending.push(service.remove)
    const postern = await startService(service)
    ending.push(() => postern.close())
    const status = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${service.ports.public}${path}`, { redirect: 'manual' })).status
    for (const path of ['/postern/leave', '/postern/land', '/leave', '/land'])
      expect(await status(`${path}?rd=${A}/&ticket=${'t'.repeat(24)}`)).toBe(404)
  })
})

describe('a public URL with a path, on the host of an application', () => {
  it('needs no hop there, and hops to the others', async () => {
    const world = await makeWorld({ publicUrl: `${A}/postern` })
    const browser = world.browser()
    const page = await logIn(browser, await browser.visit(`${A}/d/1`), 'ada')
    expect([page.url, page.body]).toEqual([`${A}/d/1`, 'application /d/1'])
    expect(stations(browser)).toEqual([
      'a.example.com/d/1',
      'a.example.com/postern/sign-in',
      'a.example.com/postern/callback/corp',
      'a.example.com/d/1',
    ])
    expect((await browser.visit(`${B}/d/2`)).body).toBe('application /d/2')
    expect(stations(browser).slice(-4)).toEqual([
      'b.example.org/postern/leave',
      'a.example.com/postern/sign-in',
      'b.example.org/postern/land',
      'b.example.org/d/2',
    ])
    expect((await askNginx(world.service, `${B}/x`, { cookie: carry(browser, A) })).status).toBe(401)
  })
})
