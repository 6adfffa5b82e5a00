// What comes back from a provider becomes a session only if it belongs to this browser, this sign-in and this moment.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JWTPayload } from 'jose'
import { makeSignIn } from '../../../src/signin/make-sign-in.ts'
import { onwardOf, type Browser, type Shown } from './browser.ts'
import { APP, BIND, COOKIE, logIn, makeWorld, PUBLIC, without, type World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await makeWorld()
})

afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const isCallback = (url: string): boolean => url.startsWith(`${PUBLIC}/callback`)

/** Signs in at the provider and stops before the callback is opened. */
const atTheDoor = async (browser: Browser, who = 'ada', path = '/x'): Promise<URL> => {
  const form = await browser.visit(`${APP}${path}`)
  const posted = await browser.post(form.url, { username: who, password: who })
  const last = await browser.follow(posted, isCallback)
  return new URL(last.headers.get('location') ?? '')
}

const changed = (url: URL, change: (parameters: URLSearchParams) => void): string => {
  const other = new URL(url)
  change(other.searchParams)
  return other.href
}

const expectRefusal = (shown: Shown, code: string, browser: Browser): void => {
  expect(shown.status).toBe(403)
  expect(shown.body).toContain(code)
  expect(shown.headers.getSetCookie()).toEqual([])
  expect(shown.headers.get('location')).toBeNull()
  expect(browser.cookie(COOKIE)).toBeUndefined()
}

describe('state', () => {
  it.each([
    ['missing', (one: URLSearchParams) => one.delete('state')],
    ['empty', (one: URLSearchParams) => one.set('state', '')],
    ['invented', (one: URLSearchParams) => one.set('state', 'AAAA')],
    ['altered', (one: URLSearchParams) => one.set('state', flip(one.get('state') ?? ''))],
    ['sent twice', (one: URLSearchParams) => one.append('state', one.get('state') ?? '')],
    ['good, with a code sent twice', (one: URLSearchParams) => one.append('code', 'other')],
    ['good, with an issuer sent twice', (one: URLSearchParams) => one.append('iss', 'https://evil.com')],
  ])('%s: refused, and nothing is used up', async (_, change) => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    expectRefusal(await browser.get(changed(url, change)), 'PST-1002', browser)
    expect((await browser.visit(url.href)).body).toBe('application /x')
  })

  it('a session cookie or a form token is no state', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    await browser.visit(url.href)
    const session = browser.cookie(COOKIE) ?? ''
    const other = world.browser()
    const door = await atTheDoor(other)
    expectRefusal(await other.get(changed(door, (one) => one.set('state', session))), 'PST-1002', other)
  })

  it('a state is no session cookie', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    browser.setCookie(
      PUBLIC,
      `${COOKIE}=${url.searchParams.get('state')}; Domain=example.com; Path=/; Secure`,
    )
    expect((await browser.get(`${PUBLIC}/me.json`)).status).toBe(401)
  })
})

const flip = (text: string): string => text.slice(0, 40) + (text[40] === 'A' ? 'B' : 'A') + text.slice(41)

describe('another browser', () => {
  it('cannot finish what this one started: refused, with a way to start again', async () => {
    const attacker = world.browser()
    const url = await atTheDoor(attacker, 'ben')
    const victim = world.browser()
    const shown = await victim.get(url.href)
    expectRefusal(shown, 'PST-1003', victim)
    expect(shown.body).toContain(`href="${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/x`)}"`)
    expect(world.events).toEqual([
      { kind: 'login-failed', provider: 'corp', code: 'PST-1003', why: 'PST-1003' },
    ])
  })

  it('cannot either when it has a sign-in of its own under way', async () => {
    const url = await atTheDoor(world.browser(), 'ben')
    const victim = world.browser()
    await atTheDoor(victim)
    expectRefusal(await victim.get(url.href), 'PST-1003', victim)
  })

  it('goes on as itself when it is signed in already', async () => {
    const url = await atTheDoor(world.browser(), 'ben')
    const victim = world.browser()
    await logIn(victim, await victim.visit(`${APP}/`), 'ada')
    const before = victim.cookie(COOKIE)
    const shown = await victim.get(url.href)
    expect([shown.status, onwardOf(shown)]).toEqual([200, `${APP}/x`])
    expect(victim.cookie(COOKIE)).toBe(before)
    expect(world.sessionOf(victim)?.subject).toBe('ada')
  })

  it('a planted second binding cookie neither hides the right one nor stands for it', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    const bring = (...cookies: readonly string[]) =>
      world.handlers['/callback/']!({
        method: 'GET',
        path: url.pathname,
        query: [...url.searchParams],
        headers: new Map(),
        cookies: [cookies.join('; ')],
        form: [],
      })
    const [own = ''] = browser.cookiesOf(BIND)
    const planted = `${BIND}xxxxxx=${'x'.repeat(16)}`
    const twin = own.replace(/=.*/, `=${'x'.repeat(16)}`)
    expect((await bring(twin)).status).toBe(403)
    expect((await bring(own.slice(0, -1))).status).toBe(403)
    expect((await bring(planted)).status).toBe(403)
    expect((await bring(planted, own, twin)).status).toBe(303)
  })

  it('any number of starts leaves one small cookie', async () => {
    const browser = world.browser()
    const names = new Set<string>()
    for (let index = 0; index < 50; index += 1) {
      const shown = await browser.get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/${index}`)}`)
      for (const line of shown.headers.getSetCookie()) names.add(line.split('=')[0] ?? '')
    }
    expect(names.size).toBe(1)
    expect(browser.cookiesOf(BIND).join('; ')).toHaveLength(BIND.length + 6 + 1 + 16)
  })
})

describe('time', () => {
  it('a sign-in that took over ten minutes is refused; one that took less is not', async () => {
    const slow = world.browser()
    const late = await atTheDoor(slow)
    world.turns.clockMs = 601_000
    expectRefusal(await slow.get(late.href), 'PST-1001', slow)
    world.turns.clockMs = 0
    const quick = world.browser()
    const url = await atTheDoor(quick)
    world.turns.clockMs = 590_000
    expect(onwardOf(await quick.get(url.href))).toBe(`${APP}/x`)
  })

  it('a late tab of a signed-in browser just goes on', async () => {
    const browser = world.browser()
    const late = await atTheDoor(browser, 'ada', '/late')
    world.turns.clockMs = 601_000
    await browser.visit(`${APP}/other`)
    expect(world.sessionOf(browser)?.subject).toBe('ada')
    const shown = await browser.get(late.href)
    expect([shown.status, onwardOf(shown)]).toEqual([200, `${APP}/late`])
  })

  it('never believes an authentication in the future, nor one that is not told', async () => {
    world.provider.misbehave.idToken = (claims) => ({ ...claims, auth_time: claims.iat! + 50 })
    const browser = world.browser()
    await browser.visit((await atTheDoor(browser)).href)
    const session = world.sessionOf(browser)
    expect(session?.authTimeSeconds).toBeLessThanOrEqual(session?.issuedAtSeconds ?? 0)
    world.provider.misbehave.idToken = (claims) => without(claims, 'auth_time')
    const other = world.browser()
    await other.visit((await atTheDoor(other)).href)
    expect(world.sessionOf(other)?.authTimeSeconds).toBe(0)
  })
})

describe('once', () => {
  it('a code that was used is refused in a browser without a session', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    await browser.visit(url.href)
    browser.setCookie(PUBLIC, `${COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
    expectRefusal(await browser.get(url.href), 'PST-1004', browser)
  })

  it('and a reload in a signed-in browser goes on, with the session that it has', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    await browser.visit(url.href)
    const before = browser.cookie(COOKIE)
    const shown = await browser.visit(url.href)
    expect(shown.body).toBe('application /x')
    expect(browser.cookie(COOKIE)).toBe(before)
    expect(world.events.filter((event) => event.kind === 'login')).toHaveLength(1)
  })

  it('a code of one sign-in does not fit another of the same browser', async () => {
    const browser = world.browser()
    const first = await atTheDoor(browser, 'ada', '/one')
    const start = await browser.get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/two`)}`)
    const second = new URL((await browser.follow(start, isCallback)).headers.get('location') ?? '')
    const mixed = changed(second, (one) => one.set('code', first.searchParams.get('code') ?? ''))
    expectRefusal(await browser.get(mixed), 'PST-1006', browser)
  })

  it('a callback with an invented code uses nothing up, and nothing is remembered of it', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    for (let index = 0; index < 5; index += 1)
      expectRefusal(
        await browser.get(changed(url, (one) => one.set('code', `no-${index}`))),
        'PST-1006',
        browser,
      )
    expect(world.used.size).toBe(0)
    expect((await browser.visit(url.href)).body).toBe('application /x')
    expect(world.used.size).toBe(1)
  })

  it('a code that the provider takes twice makes one session, of two callbacks at the same moment too', async () => {
    const { callback } = makeSignIn(world.through(takingCodesTwice()), () => undefined)
    const browser = world.browser()
    const url = await atTheDoor(browser)
    const arrive = () =>
      callback({
        method: 'GET',
        path: url.pathname,
        query: [...url.searchParams],
        headers: new Map(),
        cookies: browser.cookiesOf(BIND),
        form: [],
      })
    const answers = await Promise.all([arrive(), arrive()])
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303, 403]))
    expect((await arrive()).status).toBe(403)
    expect(world.events.filter(({ kind }) => kind === 'login')).toHaveLength(1)
    expect(world.events.flatMap((event) => (event.kind === 'login-failed' ? [event.code] : []))).toEqual([
      'PST-1004',
      'PST-1004',
    ])
  })

  it('a store that is full is a refusal before the code is used, so that it can be repeated', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    world.turns.state = 'full'
    expect((await browser.get(url.href)).status).toBe(503)
    world.turns.state = 'up'
    expect((await browser.visit(url.href)).body).toBe('application /x')
  })

  it('a store that cannot remember is a refusal that can be repeated', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    world.turns.state = 'down'
    const shown = await browser.get(url.href)
    expect([shown.status, shown.headers.get('retry-after')]).toEqual([503, '5'])
    expect(shown.body).toContain('PST-1013')
    expect(shown.headers.getSetCookie()).toEqual([])
    world.turns.state = 'up'
    expect((await browser.visit(url.href)).body).toBe('application /x')
  })
})

/** Between us and the provider: the same question at the token endpoint gets the same answer again. */
const takingCodesTwice = (): typeof fetch => {
  const answers = new Map<string, Promise<{ readonly text: string; readonly init: ResponseInit }>>()
  return async (input, init) => {
    if (init?.method !== 'POST') return fetch(input, init)
    const question = await new Request('http://127.0.0.1', init).text()
    const answer =
      answers.get(question) ??
      fetch(input, init).then(async (response) => ({
        text: await response.text(),
        init: { status: response.status, headers: { 'content-type': 'application/json' } },
      }))
    answers.set(question, answer)
    const { text, init: head } = await answer
    return new Response(text, head)
  }
}

describe('an answer of the provider that is not as it should be', () => {
  it.each([
    ['a nonce of another sign-in', { idToken: (one: object) => ({ ...one, nonce: 'other' }) }],
    ['no nonce', { idToken: (one: object) => without(one, 'nonce') }],
    ['another issuer', { idToken: (one: object) => ({ ...one, iss: 'https://evil.com' }) }],
    ['another audience', { idToken: (one: object) => ({ ...one, aud: 'other' }) }],
    ['a second audience', { idToken: (one: object) => ({ ...one, aud: ['postern', 'other'] }) }],
    ['no end', { idToken: (one: object) => without(one, 'exp') }],
    ['no subject', { idToken: (one: object) => without(one, 'sub') }],
    ['a subject with control characters', { idToken: (one: object) => ({ ...one, sub: 'a\r\nb' }) }],
    ['the signature of another key', { signature: 'foreign' as const }],
    ['no signature', { signature: 'none' as const }],
    ['no iss parameter', { authorizationResponse: (url: URL) => url.searchParams.delete('iss') }],
    [
      'a wrong iss parameter',
      { authorizationResponse: (url: URL) => url.searchParams.set('iss', 'https://evil.com') },
    ],
    [
      'a code that it never made',
      { authorizationResponse: (url: URL) => url.searchParams.set('code', 'invented') },
    ],
  ])('%s: never a session', async (_, wrong) => {
    const browser = world.browser()
    Object.assign(world.provider.misbehave, wrong)
    const url = await atTheDoor(browser)
    expectRefusal(await browser.get(url.href), 'PST-1006', browser)
    expect(world.events.at(-1)).toMatchObject({ kind: 'login-failed', provider: 'corp', code: 'PST-1006' })
  })

  it.each([
    ['no more valid', (one: JWTPayload) => ({ ...one, exp: (one.iat ?? 0) - 120 })],
    ['not yet valid', (one: JWTPayload) => ({ ...one, nbf: (one.iat ?? 0) + 120 })],
  ])(
    'a token that is %s by more than the tolerance: never a session, and the code names the clocks',
    async (_, idToken) => {
      const browser = world.browser()
      world.provider.misbehave.idToken = idToken
      const url = await atTheDoor(browser)
      const shown = await browser.get(url.href)
      expectRefusal(shown, 'PST-1020', browser)
      expect(shown.body).toMatch(/Clock of this service, against the provider<\/dt>\s*<dd>\d+ s ahead/)
      expect(world.events.at(-1)).toMatchObject({ code: 'PST-1020', why: 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' })
      world.provider.misbehave.idToken = (one) => ({
        ...one,
        exp: (one.iat ?? 0) - 5,
        nbf: (one.iat ?? 0) + 50,
      })
      const near = world.browser()
      expect(onwardOf(await near.get((await atTheDoor(near)).href))).toBe(`${APP}/x`)
    },
  )

  it('a callback of one provider at the address of another is refused, and the code stays here', async () => {
    const two = await makeWorld({ twoProviders: true })
    two.second!.misbehave.discovery = (document) => ({
      ...document,
      authorization_response_iss_parameter_supported: false,
    })
    const browser = two.browser()
    const form = await browser.visit(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/`)}&provider=corp`)
    const posted = await browser.post(form.url, { username: 'ada', password: 'ada' })
    const url = (await browser.follow(posted, isCallback)).headers.get('location') ?? ''
    const crossed = changed(new URL(url.replace('/callback/corp', '/callback/partner')), (one) =>
      one.delete('iss'),
    )
    expectRefusal(await browser.get(crossed), 'PST-1006', browser)
    expect(two.second?.requests).not.toContain('POST /token')
    expect((await browser.get(url.replace('/callback/corp', '/callback/other'))).status).toBe(404)
    expect((await browser.visit(url)).body).toBe('application /')
    await two.close()
  })

  it('a person who cancels is told so, and can try again', async () => {
    const browser = world.browser()
    const form = await browser.visit(`${APP}/x`)
    const posted = await browser.post(form.url, { action: 'cancel' })
    const shown = await browser.follow(posted)
    expectRefusal(shown, 'PST-1005', browser)
    expect(shown.body).toContain('access_denied')
  })

  it('an error that somebody invented is refused without its words', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    const forged = changed(url, (one) => {
      one.delete('code')
      one.set('error', '<script>alert(1)</script>')
    })
    const shown = await browser.get(forged)
    expectRefusal(shown, 'PST-1005', browser)
    expect(shown.body).not.toContain('alert(1)')
  })
})

describe('an outage of the provider', () => {
  it('before the start: 503, and signed-in browsers go on', async () => {
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${APP}/`), 'ada')
    const fresh = await makeWorld()
    fresh.provider.misbehave.down = true
    const shown = await fresh.browser().get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/`)}`)
    expect([shown.status, shown.headers.get('retry-after')]).toEqual([503, '5'])
    expect(shown.body).toContain('PST-1007')
    expect(shown.body).toContain('your session stays valid')
    fresh.provider.misbehave.down = false
    expect((await fresh.browser().get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/`)}`)).status).toBe(
      200,
    )
    await fresh.close()
    world.provider.misbehave.down = true
    expect((await browser.visit(`${APP}/y`)).body).toBe('application /y')
  })

  it.each([
    ['cut connections', { down: true }],
    ['errors of the token endpoint', { tokenError: true }],
  ])('at the end, %s: 503, no session, and a new start works', async (_, wrong) => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    Object.assign(world.provider.misbehave, wrong)
    const shown = await browser.get(url.href)
    expect(shown.status).toBe(503)
    expect(shown.body).toContain('PST-1007')
    expect(browser.cookie(COOKIE)).toBeUndefined()
    Object.assign(world.provider.misbehave, { down: false, tokenError: false })
    expect((await browser.visit(`${APP}/x`)).body).toBe('application /x')
  })

  it('an issuer that is not letter by letter the configured one is a fault of the configuration', async () => {
    world.provider.misbehave.discovery = (document) => ({
      ...document,
      issuer: `${String(document['issuer'])}/`,
    })
    const shown = await world.browser().get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/`)}`)
    expect(shown.status).toBe(500)
    expect(shown.body).toContain('PST-1008')
  })

  it.each(['javascript:alert(1)', 'http://idp.example.com/auth', 'https://169.254.169.254/auth'])(
    'an authorization endpoint %s is never sent to a browser',
    async (endpoint) => {
      world.provider.misbehave.discovery = (document) => ({ ...document, authorization_endpoint: endpoint })
      const shown = await world.browser().get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/`)}`)
      expect(shown.status).toBe(500)
      expect(shown.headers.get('location')).toBeNull()
      expect(shown.body).not.toContain(endpoint)
    },
  )

  it('a token endpoint on a forbidden address is not called', async () => {
    world.provider.misbehave.discovery = (document) => ({
      ...document,
      token_endpoint: 'http://169.254.169.254/token',
    })
    const browser = world.browser()
    const shown = await browser.get((await atTheDoor(browser)).href)
    expect(shown.status).toBe(503)
    expect(browser.cookie(COOKIE)).toBeUndefined()
  })

  it('ten browsers that come at once ask for the metadata once', async () => {
    const start = `${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/`)}`
    const shown = await Promise.all(Array.from({ length: 10 }, () => world.browser().get(start)))
    expect(shown.map((one) => one.status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(world.provider.requests).toEqual(['GET /.well-known/openid-configuration'])
  })
})

describe('claims', () => {
  const sessionWith = async (other: World) => {
    const browser = other.browser()
    const form = await browser.visit(`${APP}/x`)
    await browser.follow(await browser.post(form.url, { username: 'ada', password: 'ada' }))
    return other.sessionOf(browser)
  }

  it('come from UserInfo where the ID token leaves them out', async () => {
    const other = await makeWorld({ claimsInIdToken: false })
    expect(await sessionWith(other)).toMatchObject({
      claims: { groups: ['sre'], email: 'ada@example.com' },
      emailVerified: true,
    })
    expect(other.provider.requests).toContain('GET /me')
    await other.close()
  })

  it('UserInfo of another subject ends the sign-in', async () => {
    const other = await makeWorld({ claimsInIdToken: false })
    other.provider.misbehave.userInfo = (claims) => ({ ...claims, sub: 'ben' })
    expect(await sessionWith(other)).toBeUndefined()
    expect(other.events.at(-1)).toMatchObject({ kind: 'login-failed', code: 'PST-1006' })
    await other.close()
  })

  it('are not asked for at UserInfo where the ID token has them', async () => {
    await sessionWith(world)
    expect(world.provider.requests).not.toContain('GET /me')
  })

  it('an address is verified only by the word beside it', async () => {
    world.provider.misbehave.idToken = (claims) => ({
      ...without(claims, 'email_verified'),
      email: 'root@example.com',
    })
    world.provider.misbehave.userInfo = (claims) => ({
      ...claims,
      email: 'ada@example.com',
      email_verified: true,
    })
    expect(await sessionWith(world)).toMatchObject({
      claims: { email: 'root@example.com' },
      emailVerified: false,
    })
    world.provider.misbehave.userInfo = (claims) => ({ ...claims, email: 'root@example.com' })
    expect(await sessionWith(world)).toMatchObject({ emailVerified: true })
  })

  it('groups that are kept elsewhere are cut, not absent', async () => {
    world.provider.misbehave.idToken = (claims) => ({
      ...without(claims, 'groups'),
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: 'https://graph.example.com' } },
    })
    const session = await sessionWith(world)
    expect(session?.claims).not.toHaveProperty('groups')
    expect(session).toMatchObject({ cut: ['groups'], captured: ['email', 'groups'] })
  })

  it('what policies read at the end is captured beside what was asked for at the start', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    world.turns.policy = { ...world.turns.policy, claims: ['name'] }
    await browser.visit(url.href)
    expect(world.sessionOf(browser)).toMatchObject({
      captured: ['email', 'groups', 'name'],
      claims: { name: 'Ada Lovelace', groups: ['sre'], email: 'ada@example.com' },
    })
  })

  it('a session that is too long loses what nobody needs, and says so', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `team-${index}-of-the-company`)
    world.provider.misbehave.idToken = (claims) => ({ ...claims, groups: [...many, 'sre'] })
    const session = await sessionWith(world)
    expect(session).toMatchObject({ claims: { groups: ['sre'] }, groupsRevision: 'g:1' })
    expect(session?.captured).toContain('groups')
  })

  it('one that is still too long is an error with a code, and no redirect', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `team-${index}-of-the-company`)
    world.provider.misbehave.idToken = (claims) => ({ ...claims, groups: many })
    world.turns.policy = {
      ...world.turns.policy,
      fit: { ...world.turns.policy.fit, namedGroups: new Set(many) },
    }
    const browser = world.browser()
    const shown = await browser.get((await atTheDoor(browser)).href)
    expect(shown.status).toBe(500)
    expect(shown.body).toContain('PST-1009')
    expect(shown.headers.get('location')).toBeNull()
    expect(browser.cookie(COOKIE)).toBeUndefined()
  })
})

describe('secrets', () => {
  it('no token, code or client secret appears in an answer or an event', async () => {
    const browser = world.browser()
    const url = await atTheDoor(browser)
    const callback = await browser.get(url.href)
    const me = [await browser.get(`${PUBLIC}/me`), await browser.get(`${PUBLIC}/me.json`, {})]
    const code = url.searchParams.get('code') ?? 'none'
    const told = JSON.stringify([
      world.events,
      [callback, ...me].map((one) => [one.body, one.headers.get('location')]),
    ])
    expect(told).not.toContain(code)
    expect(told).not.toContain('planted-client-secret')
    expect(told).not.toMatch(/eyJ[\w-]+\./)
    expect(me.map((one) => one.body).join()).not.toContain(world.sessionOf(browser)?.id)
  })
})
