// A whole sign-in against a real provider, through the pages that a browser would see.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SignInSettings } from '../../../src/signin/deps.ts'
import { onwardOf, type Shown } from './browser.ts'
import { APP, BIND, COOKIE, logIn, makeWorld, PUBLIC, type World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await makeWorld()
})

afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const signInUrl = (rd: string, more = ''): string => `${PUBLIC}/sign-in?rd=${encodeURIComponent(rd)}${more}`

describe('a whole sign-in', () => {
  it('comes back to the page that was asked for, with one cookie', async () => {
    const browser = world.browser()
    const form = await browser.visit(`${APP}/d/x?orgId=1&from=now-6h`)
    const page = await logIn(browser, form, 'ada')
    expect(page.url).toBe(`${APP}/d/x?orgId=1&from=now-6h`)
    expect(page.body).toBe('application /d/x?orgId=1&from=now-6h')
    const session = world.sessionOf(browser)
    expect(session).toMatchObject({
      provider: 'corp',
      subject: 'ada',
      claims: { groups: ['sre'], email: 'ada@example.com' },
      captured: ['email', 'groups'],
      cut: [],
      amr: ['pwd'],
      acr: 'urn:test:password',
      emailVerified: true,
      revocationNumber: 7,
      stepUp: undefined,
    })
    expect(session?.id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(session?.claims).not.toHaveProperty('name')
    expect((session?.expiresAtSeconds ?? 0) - (session?.issuedAtSeconds ?? 0)).toBe(12 * 3600)
    expect(world.events.map((event) => event.kind)).toEqual(['login'])
  })

  it('sends code, PKCE, state and nonce, and nothing that is secret', async () => {
    const browser = world.browser()
    const start = await browser.get(signInUrl(`${APP}/`))
    const location = new URL(onwardOf(start) ?? '')
    expect(start.status).toBe(200)
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'postern',
      redirect_uri: `${PUBLIC}/callback/corp`,
      scope: 'openid profile email groups',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{22}$/),
      state: expect.stringMatching(/^[\w-]+$/),
    })
    expect(location.href).not.toContain('planted-client-secret')
    expect(location.href).not.toContain('app.example.com')
    expect(start.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-postern-bind-[\w-]{6}=[\w-]{16}; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ])
  })

  it('has a body that goes on by itself, for a proxy that keeps a 401 over it', async () => {
    const start = await world.browser().get(signInUrl(`${APP}/`))
    const to = onwardOf(start) ?? ''
    expect(to.startsWith(world.provider.issuer)).toBe(true)
    expect(start.body).toContain(
      `<meta http-equiv="refresh" content="0; url=${to.replaceAll('&', '&amp;')}" />`,
    )
  })

  it('sets the session cookie with every attribute that protects it', async () => {
    const browser = world.browser()
    const form = await browser.visit(`${APP}/`)
    const posted = await browser.post(form.url, { username: 'ada', password: 'ada' })
    const before = await browser.follow(posted, (url) => url.startsWith(`${PUBLIC}/callback`))
    const callback = await browser.get(before.headers.get('location') ?? '')
    expect([callback.status, onwardOf(callback)]).toEqual([200, `${APP}/`])
    expect(callback.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Secure-postern=[\w-]+; Path=\/; Domain=example\.com; Max-Age=43200; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ])
    expect(callback.headers.get('cache-control')).toBe('no-store')
  })

  it('gives each sign-in a new session id, and ends the session of another person', async () => {
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${APP}/`), 'ada')
    const first = world.sessionOf(browser)
    const again = await browser.visit(signInUrl(`${APP}/`, '&prompt=select_account'))
    await logIn(browser, again, 'ada')
    const second = world.sessionOf(browser)
    expect(second?.id).not.toBe(first?.id)
    expect(world.revoked.size).toBe(0)
    await logIn(browser, await browser.visit(signInUrl(`${APP}/`, '&prompt=select_account')), 'ben')
    expect(world.sessionOf(browser)?.subject).toBe('ben')
    expect([...world.revoked]).toEqual([second?.id])
  })
})

describe('ten tabs sign in at once', () => {
  it('each comes back to its own page, with one binding cookie between them', async () => {
    const browser = world.browser()
    const paths = Array.from({ length: 10 }, (_, index) => `/tab/${index}`)
    const forms = []
    for (const path of paths) forms.push(await browser.visit(`${APP}${path}`))
    const binding = browser.cookiesOf(BIND)
    expect(binding).toHaveLength(1)
    const shown = []
    for (const form of forms) shown.push(await logIn(browser, form, 'ada'))
    expect(shown.map((page) => page.body)).toEqual(paths.map((path) => `application ${path}`))
    expect(browser.cookiesOf(BIND)).toEqual(binding)
  })
})

describe('what is not a page load starts nothing', () => {
  it.each([
    ['fetch', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['an old script', { 'x-requested-with': 'XMLHttpRequest' }],
  ])('%s', async (_, headers) => {
    const browser = world.browser()
    const shown = await browser.get(signInUrl(`${APP}/x`), headers)
    expect(shown.status).toBe(401)
    expect(shown.headers.get('content-type')).toBe('application/problem+json')
    expect(shown.headers.get('www-authenticate')).toBe('Session realm="postern"')
    expect(shown.headers.getSetCookie()).toEqual([])
    expect(shown.headers.get('location')).toBeNull()
    expect(JSON.parse(shown.body)).toMatchObject({ status: 401, signIn: signInUrl(`${APP}/x`) })
    expect(world.provider.requests).toEqual([])
  })

  it('a client that sends no Fetch Metadata is taken for a page load', async () => {
    expect((await world.browser().get(signInUrl(`${APP}/x`), {})).status).toBe(303)
  })

  it('other methods are refused', async () => {
    const shown = await world.browser().post(signInUrl(`${APP}/x`), {})
    expect(shown.status).toBe(405)
    expect(shown.headers.get('allow')).toBe('GET, HEAD')
  })
})

describe('sign-in decides', () => {
  const signedIn = async (who: string) => {
    const browser = world.browser()
    const form = await browser.visit(signInUrl(`${APP}/`))
    await browser.follow(await browser.post(form.url, { username: who, password: who }))
    return browser
  }

  it('an allowed browser goes back at once', async () => {
    const browser = await signedIn('ada')
    const shown = await browser.get(signInUrl(`${APP}/y`))
    expect([shown.status, shown.headers.get('location')]).toEqual([303, `${APP}/y`])
    expect(shown.headers.getSetCookie()).toEqual([])
  })

  it('an address that is open to anyone sends back without a sign-in', async () => {
    const shown = await world.browser().get(signInUrl(`${APP}/public/x`))
    expect([shown.status, shown.headers.get('location')]).toEqual([303, `${APP}/public/x`])
  })

  it('a denied person sees who he is, what is missing and how to go on', async () => {
    const browser = await signedIn('ben')
    const shown = await browser.get(signInUrl(`${APP}/y`))
    expect(shown.status).toBe(403)
    expect(shown.body).toContain('You are signed in as ben@example.com, by Example corp.')
    expect(shown.body).toContain('Rule “edit” needs the group sre.')
    expect(shown.body).toContain('<code>d-1</code>')
    expect(shown.body).toContain('team-observability')
    expect(shown.body).toContain('prompt=select_account')
    expect(shown.headers.get('location')).toBeNull()
  })

  it('a refused person is told which rule refuses', async () => {
    const browser = await signedIn('cy')
    const shown = await browser.get(signInUrl(`${APP}/y`))
    expect(shown.status).toBe(403)
    expect(shown.body).toContain('Rule “no-contractors” refuses')
  })

  it('an address for programs says so, to anybody', async () => {
    for (const browser of [world.browser(), await signedIn('ada')]) {
      const shown = await browser.get(signInUrl(`${APP}/api/x`))
      expect(shown.status).toBe(403)
      expect(shown.body).toContain('does not take a sign-in')
      expect(shown.body).toContain('an API key')
    }
  })

  it('an undecidable address is 503 with a code and a time to come again', async () => {
    world.turns.judge = (judged) => ({
      ...judged,
      decision: {
        outcome: 'indeterminate',
        reason: 'ERROR_STATE',
        why: 'x',
        route: 'grafana',
        section: '/',
        rule: undefined,
      },
    })
    const shown = await world.browser().get(signInUrl(`${APP}/`))
    expect([shown.status, shown.headers.get('retry-after')]).toEqual([503, '5'])
    expect(shown.body).toContain('PST-1014')
  })

  it('a route that believes no provider says so instead of starting anything', async () => {
    world.turns.routeProviders = []
    const shown = await world.browser().get(signInUrl(`${APP}/`))
    expect(shown.body).toContain('PST-1015')
    expect(shown.headers.getSetCookie()).toEqual([])
  })

  it.each(['//evil.com', 'https://evil.com/', 'https://app.example.com@evil.com/', `${PUBLIC}/sign-out`])(
    'a way back to %s is none',
    async (rd) => {
      const browser = await signedIn('ada')
      const shown = await browser.get(signInUrl(rd))
      expect([shown.status, shown.headers.get('location')]).toEqual([303, `${PUBLIC}/me`])
      expect(shown.body).not.toContain('evil.com')
    },
  )

  it('a repeated way back is none', async () => {
    const browser = await signedIn('ada')
    const shown = await browser.get(`${signInUrl(`${APP}/ok`)}&rd=%2F%2Fevil.com`)
    expect(shown.headers.get('location')).toBe(`${PUBLIC}/me`)
  })

  it('without a way back it ends at one’s own page', async () => {
    const browser = world.browser()
    const shown = await logIn(browser, await browser.visit(`${PUBLIC}/sign-in`), 'ben')
    expect(shown.url).toBe(`${PUBLIC}/me`)
    expect(shown.body).toContain('Who you are here')
  })

  it('another account is asked for at the provider, signed in or denied or not', async () => {
    const browser = await signedIn('ben')
    const shown = await browser.get(signInUrl(`${APP}/`, '&prompt=select_account'))
    expect(new URL(onwardOf(shown) ?? '').searchParams.get('prompt')).toBe('select_account')
    const page = await logIn(browser, await browser.follow(shown), 'ada')
    expect(page.body).toBe('application /')
  })
})

describe('a circle is noticed', () => {
  it('a browser that loses the session cookie is stopped after three rounds, and told what was seen', async () => {
    const browser = world.browser()
    const url = `${APP}/loop`
    let shown = await logIn(browser, await browser.visit(url), 'ada')
    for (let round = 0; round < 2; round += 1) {
      browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
      shown = await browser.visit(url)
      expect(shown.body).toBe('application /loop')
    }
    browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
    shown = await browser.visit(url)
    expect(shown.body).toContain('PST-1011')
    const seen = shown.body.replaceAll(/\s+/g, ' ')
    expect(seen).toContain('<dt>Session cookie at sign-in</dt> <dd>not sent</dd>')
    expect(seen).toContain('<dd>__Secure-postern, for example.com and all hosts below it</dd>')
    expect(seen).toContain('<dt>Clock, against Example corp</dt> <dd>the same</dd>')
    expect(seen).toContain('Look whether a proxy before sign-in drops or rewrites Set-Cookie')
    const [circle] = world.events.filter(({ kind }) => kind === 'circle')
    expect(circle).toMatchObject({ host: 'app.example.com', cause: 'not-kept', evidence: { copiesHere: 0 } })
    await browser.visit(url)
    expect(world.events.filter(({ kind }) => kind === 'circle')).toHaveLength(1)
    world.turns.clockMs = 61_000
    expect((await browser.visit(url)).body).toBe('application /loop')
  })

  it('a session that counts here and not there is told apart from one that is not kept', async () => {
    const browser = world.browser()
    const url = `${APP}/there`
    await logIn(browser, await browser.visit(url), 'ada')
    const visit = (more = ''): Promise<Shown> => browser.get(signInUrl(url, more))
    for (const _ of [1, 2]) expect(onwardOf(await visit())).toBe(url)
    const causes = []
    for (const more of ['', '&seen=expired', '&seen=%3Cb%3E'])
      causes.push((await visit(more)).body.replaceAll(/\s+/g, ' '))
    expect(causes[0]).toContain(
      '<dt>Session cookie at the application</dt> <dd>not sent, as far as is known</dd>',
    )
    expect(causes[0]).toContain('Let the request of the proxy to the decision service carry')
    expect(causes[1]).toContain('<dt>Session cookie at the application</dt> <dd>sent, but expired</dd>')
    expect(causes[1]).toContain('has the same session.keys, session.domain, state and clock')
    expect(causes[2]).toBe(
      causes[0]
        ?.replace(/<time.*?<\/time>/, /<time.*?<\/time>/.exec(causes[2] ?? '')?.[0] ?? '')
        .replace(/data-clock="\d+"/, /data-clock="\d+"/.exec(causes[2] ?? '')?.[0] ?? ''),
    )
  })

  it('a program is told the same in problem+json', async () => {
    const browser = world.browser()
    const url = `${APP}/there`
    await logIn(browser, await browser.visit(url), 'ada')
    for (const _ of [1, 2]) await browser.get(signInUrl(url))
    const told = await browser.get(signInUrl(`http${url.slice(5)}`), { accept: 'application/json' })
    expect([told.status, told.headers.get('content-type')]).toEqual([508, 'application/problem+json'])
    expect(JSON.parse(told.body)).toMatchObject({
      code: 'PST-1011',
      cause: 'insecure-application',
      seen: { copiesHere: 1, countsHere: true, applicationScheme: 'http', publicScheme: 'https' },
    })
  })

  it('a cookie that cannot reach the application is said at once, not tried', async () => {
    const other = await makeWorld({ settings: { cookie: { name: COOKIE, domain: undefined } } })
    const shown = await other.browser().get(signInUrl(`${APP}/`))
    expect(shown.body).toContain('PST-1012')
    expect(shown.headers.get('location')).toBeNull()
    await other.close()
  })
})

describe('where it lives', () => {
  const startAt = async (settings: Partial<SignInSettings>, rd: string) => {
    const other = await makeWorld({ settings })
    const answer = await other.handlers['/sign-in']!({
      method: 'GET',
      path: '/sign-in',
      query: [['rd', rd]],
      headers: new Map(),
      cookies: [],
      form: [],
    })
    await other.close()
    return new Map(answer.headers)
  }

  it('below a path of the application’s own host, all its addresses have that path', async () => {
    const headers = await startAt(
      {
        publicUrl: 'https://app.example.com/postern',
        cookie: { name: '__Host-postern', domain: undefined },
      },
      `${APP}/x`,
    )
    const location = new URL(headers.get('location') ?? '')
    expect(location.searchParams.get('redirect_uri')).toBe('https://app.example.com/postern/callback/corp')
    expect(headers.get('set-cookie')).toMatch(/^__Host-postern-bind-/)
  })

  it('on plain http of this machine, cookies have no prefix and no Secure', async () => {
    const headers = await startAt(
      {
        publicUrl: 'http://auth.demo.localhost:8080',
        externalScheme: 'http',
        cookie: { name: 'postern', domain: 'demo.localhost' },
      },
      'http://nothing.demo.localhost:8080/',
    )
    expect(headers.get('set-cookie')).toMatch(
      /^postern-bind-[\w-]{6}=[\w-]{16}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    )
  })
})

describe('several providers', () => {
  it('the person chooses, on a page that names the application, and a choice that is not believed is none', async () => {
    const two = await makeWorld({ twoProviders: true })
    const browser = two.browser()
    const chooser = await browser.visit(`${APP}/x`)
    expect(chooser.status).toBe(200)
    expect(chooser.body).toContain('grafana (app.example.com) asks you to sign in')
    for (const label of ['Example corp', 'Example partner'])
      expect(chooser.body).toContain(`Sign in with ${label}`)
    expect(chooser.headers.getSetCookie()).toEqual([])
    const link = (id: string): string =>
      new RegExp(`href="([^"]*provider=${id}[^"]*)"`).exec(chooser.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const page = await logIn(browser, await browser.visit(link('partner')), 'ada')
    expect(page.body).toBe('application /x')
    expect(two.sessionOf(browser)?.provider).toBe('partner')
    two.turns.routeProviders = ['corp']
    const other = two.browser()
    const start = await other.get(link('partner'))
    expect(onwardOf(start)).toContain(two.provider.issuer)
    await two.close()
  })

  const linksOf = (page: Shown): readonly string[] =>
    [...page.body.matchAll(/<a class="deed[^"]*" href="([^"]+)"/g)].map((match) =>
      (match[1] ?? '').replaceAll('&amp;', '&'),
    )
  const providersOf = (page: Shown): readonly (string | null)[] =>
    linksOf(page).map((link) => new URL(link).searchParams.get('provider'))

  it('the one that was used last stands first; a planted cookie changes nothing but the order', async () => {
    const two = await makeWorld({ twoProviders: true })
    const browser = two.browser()
    const chooser = await browser.visit(`${APP}/x`)
    expect(providersOf(chooser)).toEqual(['corp', 'partner'])
    expect(chooser.body).not.toContain('used last time')
    await logIn(browser, await browser.visit(linksOf(chooser)[1] ?? ''), 'ada')
    expect(browser.cookiesOf('__Host-postern-provider')).toEqual(['__Host-postern-provider=partner'])
    browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
    const again = await browser.visit(`${APP}/x`)
    expect(providersOf(again)).toEqual(['partner', 'corp'])
    expect(again.body.match(/used last time/g)).toHaveLength(1)
    for (const planted of ['nobody', '%3Cb%3E', 'partner%0d%0a', '']) {
      browser.setCookie(PUBLIC, `__Host-postern-provider=${planted}; Path=/; Secure`)
      const shown = await browser.visit(`${APP}/x`)
      expect([providersOf(shown), shown.body.includes('used last')]).toEqual([['corp', 'partner'], false])
    }
    two.turns.routeProviders = ['corp']
    browser.setCookie(PUBLIC, '__Host-postern-provider=partner; Path=/; Secure')
    expect(onwardOf(await browser.get(signInUrl(`${APP}/x`)))).toContain(two.provider.issuer)
    await two.close()
  })

  it('prompt=choose shows the chooser to whoever asks, signed in or not, with one provider too', async () => {
    const browser = world.browser()
    const chooser = await browser.get(signInUrl(`${APP}/x`, '&prompt=choose'))
    expect([chooser.status, providersOf(chooser)]).toEqual([200, ['corp']])
    expect(chooser.headers.getSetCookie()).toEqual([])
    expect((await logIn(browser, await browser.visit(linksOf(chooser)[0] ?? ''), 'ada')).body).toBe(
      'application /x',
    )
    const signedIn = await browser.get(signInUrl(`${APP}/x`, '&prompt=choose'))
    expect(providersOf(signedIn)).toEqual(['corp'])
    const other = onwardOf(await browser.get(linksOf(signedIn)[0] ?? ''))
    expect(new URL(other ?? '').searchParams.get('prompt')).toBe('select_account')
    const nowhere = await browser.get(`${PUBLIC}/sign-in?prompt=choose`)
    expect(providersOf(nowhere)).toEqual(['corp'])
    expect(onwardOf(await browser.get(`${PUBLIC}/sign-in`))).toBe(`${PUBLIC}/me`)
  })

  it('with one provider nothing is remembered', async () => {
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${APP}/x`), 'ada')
    expect(browser.cookiesOf('__Host-postern-provider')).toEqual([])
  })
})
