// From an application that refuses, through the public listener and a real provider, back into the application: what a
// person goes through, over real sockets. Only host names are made up.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { SECOND_FACTOR_ACR } from '../support/oidc-provider.ts'
import { askNginx, headerOf, readiness, seriesOf, untilReady, until } from '../support/running-service.ts'
import { SESSION_COOKIE } from '../support/service-folder.ts'
import {
  APP,
  cookieOf,
  eventsOf,
  logIn,
  makeWorld,
  NAMED,
  policy,
  PUBLIC,
  signedIn,
  type World,
} from '../support/sign-in-world.ts'
import { onwardOf, type Browser } from '../unit/signin/browser.ts'

const asked = (browser: Browser): readonly URLSearchParams[] =>
  browser.history.filter((url) => url.includes('/auth?')).map((url) => new URL(url).searchParams)

const loginsOf = (world: World, count: number): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  until(
    () => eventsOf(world, 'login'),
    (lines) => lines.length === count,
  )

describe('a person who is not signed in', () => {
  it('is sent through sign-in and back to the very page, with identity headers', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    const form = await browser.visit(`${APP}/d/errors?from=now-1h`)
    expect(world.decisions.map(({ status }) => status)).toEqual([401])
    expect(headerOf(world.decisions[0]!, 'location')).toBe(
      `${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/d/errors?from=now-1h`)}`,
    )
    const shown = await logIn(browser, form, 'ada')
    expect([shown.url, shown.body]).toEqual([`${APP}/d/errors?from=now-1h`, 'application /d/errors'])
    const allowed = world.decisions.at(-1)!
    expect(allowed.status).toBe(200)
    expect(headerOf(allowed, 'x-auth-request-user')).toBe('ada')
    expect(headerOf(allowed, 'x-auth-request-email')).toBe('ada@example.com')
    expect(headerOf(allowed, 'x-auth-request-groups')).toBe('sre')
    expect(headerOf(allowed, 'x-auth-request-preferred-username')).toBe('ada')
  })

  it('is vouched for by an assertion that the published keys verify', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    await browser.visit(`${APP}/d/errors`)
    const assertion = headerOf(world.decisions.at(-1)!, 'x-postern-assertion') ?? ''
    const keys = createRemoteJWKSet(new URL(`${world.postern.publicAddress}/.well-known/jwks.json`))
    const { payload, protectedHeader } = await jwtVerify(assertion, keys, {
      issuer: PUBLIC,
      audience: 'app',
      algorithms: ['ES256'],
    })
    expect(protectedHeader.alg).toBe('ES256')
    expect(payload).toMatchObject({ sub: 'ada', email: 'ada@example.com', groups: ['sre'] })
    expect((payload.exp ?? Infinity) - (payload.iat ?? 0)).toBeLessThanOrEqual(300)
    expect(payload.jti).toBeTypeOf('string')
    await expect(jwtVerify(assertion, keys, { issuer: PUBLIC, audience: 'other' })).rejects.toThrow()
  })

  it('leaves a login in the decision log, and a decision for each request', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    await logIn(browser, await browser.visit(`${APP}/d/errors`), 'ada')
    await until(
      () => eventsOf(world, 'decision'),
      (lines) => lines.length === world.decisions.length,
    )
    const [login] = await eventsOf(world, 'login')
    expect(login).toMatchObject({ outcome: 'success', purpose: 'interactive', sub: { id: 'corp|ada' } })
    const lines = await eventsOf(world, 'decision')
    expect(lines.map(({ decision, reason }) => [decision, reason])).toEqual([
      ['challenge', 'CHALLENGE_NO_CREDENTIAL'],
      ['allow', 'ALLOW_RULE'],
    ])
    expect(lines[1]).toMatchObject({ rule: 'app#sre', sub: { kind: 'user', id: 'corp|ada' }, status: 200 })
    expect(lines.map(({ id }) => id)).toEqual(
      world.decisions.map((answer) => headerOf(answer, 'x-postern-decision')),
    )
  })

  it('is not let in by the wrong group: the page says who and why, and sign-in says the same', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    const shown = await logIn(browser, await browser.visit('https://page.example.com/d/errors'), 'ben')
    expect(shown.status).toBe(403)
    for (const part of ['ben@example.com', 'the group sre']) expect(shown.body).toContain(part)
    expect(browser.cookie(SESSION_COOKIE)).toBeDefined()
    const again = await browser.visit('https://page.example.com/d/errors')
    expect(again.status).toBe(403)
    expect(again.headers.get('content-type')).toContain('text/html')
    for (const page of [shown, again])
      expect(page.body).toContain('signed in as ben@example.com, by Example Corp.')
    expect(asked(browser)).toHaveLength(1)
  })
})

describe('asking for more', () => {
  it('a rule with mfa steps up at the provider and opens', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    const form = await browser.visit(`${APP}/strong`)
    expect(world.decisions.at(-1)!.status).toBe(401)
    expect(headerOf(world.decisions.at(-1)!, 'www-authenticate')).toContain(
      'insufficient_user_authentication',
    )
    expect(asked(browser).at(-1)?.get('acr_values')).toBe(SECOND_FACTOR_ACR)
    const shown = await logIn(browser, form, 'ada', { 'second-factor': 'yes' })
    expect(shown.body).toBe('application /strong')
    expect((await loginsOf(world, 2)).at(-1)).toMatchObject({ purpose: 'step-up' })
  })

  it('a step-up that did not help is refused, not repeated', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    const shown = await logIn(browser, await browser.visit(`${APP}/strong`), 'ada')
    expect([shown.status, shown.body]).toEqual([403, '403 by the proxy'])
    expect(asked(browser)).toHaveLength(2)
  })

  it('a rule with auth_age asks for a newer login when the session has aged', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    expect((await browser.visit(`${APP}/fresh`)).body).toBe('application /fresh')
    world.clock.aheadMs = 6 * 60_000
    const answer = await askNginx(world.service, `${APP}/fresh`, { cookie: cookieOf(browser) })
    expect(answer.status).toBe(401)
    expect(headerOf(answer, 'www-authenticate')).toContain('max_age="300"')
    expect((await askNginx(world.service, `${APP}/x`, { cookie: cookieOf(browser) })).status).toBe(200)
    const stopped = await browser.visit(`${APP}/fresh`, (url) => url.startsWith(world.provider.issuer))
    const sent = new URL(onwardOf(stopped) ?? '').searchParams
    expect([sent.get('max_age'), sent.get('prompt')]).toEqual(['300', null])
  })

  it('a claim that a reload begins to read is fetched silently once, without a circle', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    expect((await askNginx(world.service, `${APP}/named`, { cookie: cookieOf(browser) })).status).toBe(200)
    await world.service.write('policies/app.yaml', policy(NAMED))
    await untilReady(world.service, 'policy', /generation 2$/)
    const refused = await askNginx(world.service, `${APP}/named`, { cookie: cookieOf(browser) })
    expect(refused.status).toBe(401)
    const shown = await browser.visit(`${APP}/named`)
    expect(shown.body).toBe('application /named')
    expect(asked(browser).map((one) => one.get('prompt'))).toEqual([null, 'none'])
    expect((await browser.visit(`${APP}/named`)).body).toBe('application /named')
    expect(asked(browser)).toHaveLength(2)
    expect((await loginsOf(world, 2)).at(-1)).toMatchObject({ purpose: 'reauth' })
  })
})

describe('who am I, and no more', () => {
  it('/me and /me.json say who is signed in, and 401 to anybody else', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    const page = await browser.get(`${PUBLIC}/me`)
    expect([page.status, page.body.includes('ada@example.com')]).toEqual([200, true])
    const json = await browser.get(`${PUBLIC}/me.json`)
    expect(JSON.parse(json.body)).toMatchObject({ provider: 'corp', subject: 'ada', groups: ['sre'] })
    const stranger = world.browser()
    expect((await stranger.get(`${PUBLIC}/me`)).status).toBe(401)
    expect((await stranger.get(`${PUBLIC}/me.json`)).status).toBe(401)
  })

  it('sign-out ends the session everywhere, in the cache too', async () => {
    const world = await makeWorld()
    const browser = await signedIn(world)
    const cookie = cookieOf(browser)
    for (const status of [200, 200])
      expect((await askNginx(world.service, `${APP}/x`, { cookie })).status).toBe(status)
    expect(
      (await seriesOf(world.service, 'postern_cache_requests_total')).get(
        '{cache="decisions",outcome="hit"}',
      ),
    ).toBe(1)
    const confirm = await browser.get(`${PUBLIC}/sign-out`)
    const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
    const foreign = await browser.post(`${PUBLIC}/sign-out`, { token }, { 'sec-fetch-site': 'cross-site' })
    expect(foreign.status).toBe(403)
    expect((await askNginx(world.service, `${APP}/x`, { cookie })).status).toBe(200)
    const out = await browser.post(`${PUBLIC}/sign-out`, { token })
    expect(out.status).toBe(200)
    expect(browser.cookie(SESSION_COOKIE)).toBeUndefined()
    const after = await askNginx(world.service, `${APP}/x`, { cookie })
    expect(after.status).toBe(401)
    expect((await browser.get(`${PUBLIC}/me`)).status).toBe(401)
    await until(
      () => eventsOf(world, 'logout'),
      (lines) => lines.length === 1,
    )
    expect((await eventsOf(world, 'logout'))[0]).toMatchObject({
      outcome: 'success',
      recorded: true,
      sub: { id: 'corp|ada' },
    })
  })
})

describe('while the provider is down', () => {
  it('sessions go on, sign-in says so with a code, and comes back by itself', async () => {
    const world = await makeWorld()
    world.provider.misbehave.down = true
    const cookie = world.service.cookie('ada', ['sre'])
    expect((await askNginx(world.service, `${APP}/x`, { cookie })).status).toBe(200)
    const browser = world.browser()
    const down = await browser.visit(`${APP}/x`)
    expect([down.status, down.body.includes('PST-1007')]).toEqual([503, true])
    expect(down.headers.get('retry-after')).toBe('5')
    expect(down.headers.getSetCookie()).toEqual([])
    expect((await readiness(world.service)).status).toBe(200)
    world.provider.misbehave.down = false
    expect((await logIn(browser, await browser.visit(`${APP}/x`), 'ada')).body).toBe('application /x')
  })

  it('a callback that cannot be redeemed is 503 with a code and no session', async () => {
    const world = await makeWorld()
    const browser = world.browser()
    const form = await browser.visit(`${APP}/x`)
    world.provider.misbehave.tokenError = true
    const shown = await logIn(browser, form, 'ada')
    expect([shown.status, shown.body.includes('PST-1007')]).toEqual([503, true])
    expect(browser.cookie(SESSION_COOKIE)).toBeUndefined()
    expect(await loginsOf(world, 1)).toMatchObject([{ outcome: 'failed', code: 'PST-1007' }])
    world.provider.misbehave.tokenError = false
    const signedInNow = await browser.visit(`${APP}/x`)
    expect(signedInNow.body).toBe('application /x')
  })
})

describe('under a path of the application', () => {
  it('signs in, and answers nowhere else', async () => {
    const world = await makeWorld(`${APP}/postern`)
    const browser = world.browser()
    const form = await browser.visit(`${APP}/x`)
    expect(headerOf(world.decisions[0]!, 'location')).toMatch(
      /^https:\/\/app\.example\.com\/postern\/sign-in\?rd=/,
    )
    expect((await logIn(browser, form, 'ada')).body).toBe('application /x')
    expect(JSON.parse((await browser.get(`${APP}/postern/me.json`)).body)).toMatchObject({ subject: 'ada' })
    for (const path of ['/me.json', '/sign-in', '/posternx/me', '/postern'])
      expect((await fetch(`${world.postern.publicAddress}${path}`)).status).toBe(404)
    expect((await fetch(`${world.postern.publicAddress}/postern/.well-known/jwks.json`)).status).toBe(200)
  })
})
