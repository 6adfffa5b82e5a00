// Signing out: asked first, done by POST with a token of this session, and told which sessions have ended.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Browser } from './browser.ts'
import { APP, COOKIE, logIn, makeWorld, PUBLIC, type World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await makeWorld()
})

afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const signedIn = async (of: World = world, who = 'ada'): Promise<Browser> => {
  const browser = of.browser()
  await logIn(browser, await browser.visit(`${PUBLIC}/sign-in`), who)
  return browser
}

const tokenOf = async (browser: Browser): Promise<string> => {
  const page = await browser.get(`${PUBLIC}/sign-out`)
  expect(page.status).toBe(200)
  return /name="token" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
}

describe('signing out', () => {
  it('asks first: a link signs nobody out', async () => {
    const browser = await signedIn()
    const page = await browser.get(`${PUBLIC}/sign-out`)
    expect(page.body).toContain('<form method="post"')
    expect(page.headers.getSetCookie()).toEqual([])
    expect(browser.cookie(COOKIE)).toBeDefined()
  })

  it('takes the cookie, ends the session everywhere, and hands over to the provider', async () => {
    const browser = await signedIn()
    const [session, cookie] = [world.sessionOf(browser), browser.cookie(COOKIE)]
    const shown = await browser.post(`${PUBLIC}/sign-out`, { token: await tokenOf(browser) })
    expect(shown.headers.getSetCookie()).toEqual([
      `${COOKIE}=; Path=/; Domain=example.com; Max-Age=0; Secure; HttpOnly; SameSite=Lax`,
    ])
    expect([...world.revoked]).toEqual([session?.id])
    expect(world.events.at(-1)).toEqual({ kind: 'logout', session, recorded: true })
    const provider = await browser.follow(shown)
    expect(provider.url).toContain(`${world.provider.issuer}/session/end?`)
    const form = /<form[^>]* action="([^"]+)"/.exec(provider.body)?.[1] ?? ''
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(provider.body)?.[1] ?? ''
    const end = await browser.follow(await browser.post(form, { xsrf, logout: 'yes' }))
    expect(end.url).toContain(`${PUBLIC}/signed-out?state=`)
    expect(end.body).toContain('Your session at Example corp has ended as well.')
    browser.setCookie(PUBLIC, `${COOKIE}=${cookie}; Domain=example.com; Path=/; Secure`)
    expect((await browser.get(`${PUBLIC}/me.json`)).status).toBe(401)
  })

  it('never signs in again by itself', async () => {
    const browser = await signedIn()
    await browser.post(`${PUBLIC}/sign-out`, { token: await tokenOf(browser) })
    const page = await browser.get(`${PUBLIC}/signed-out`)
    expect([page.status, page.headers.get('location')]).toEqual([200, null])
    expect(page.body).not.toContain('http-equiv="refresh"')
  })

  it('says that the session of the provider stays, where the provider cannot end it', async () => {
    const plain = await makeWorld({ endSession: false })
    const browser = await signedIn(plain)
    const shown = await browser.follow(
      await browser.post(`${PUBLIC}/sign-out`, { token: await tokenOf(browser) }),
    )
    expect(shown.url).toContain(`${PUBLIC}/signed-out?state=`)
    expect(shown.body).toContain('Your session at Example corp has not been ended.')
    await plain.close()
  })

  it('works while the provider is down', async () => {
    const fresh = await makeWorld()
    const browser = await signedIn(fresh)
    fresh.turns.clockMs = 3_700_000
    fresh.provider.misbehave.down = true
    const token = await tokenOf(browser)
    expect((await browser.post(`${PUBLIC}/sign-out`, { token })).status).toBe(200)
    expect(fresh.revoked.size).toBe(1)
    await fresh.close()
  })

  it('says so when the end cannot be written down for every replica', async () => {
    const plain = await makeWorld({ endSession: false })
    const browser = await signedIn(plain)
    const token = await tokenOf(browser)
    plain.turns.recorded = false
    const shown = await browser.follow(await browser.post(`${PUBLIC}/sign-out`, { token }))
    expect(shown.body).toContain('could not be recorded for every replica')
    await plain.close()
  })

  it('of nobody just says so, and clears what does not count', async () => {
    const browser = world.browser()
    browser.setCookie(PUBLIC, `${COOKIE}=garbage; Domain=example.com; Path=/; Secure`)
    const shown = await browser.visit(`${PUBLIC}/sign-out`)
    expect(shown.body).toContain('You were not signed in here.')
    expect(browser.cookie(COOKIE)).toBeUndefined()
  })

  it('an outage of the store signs nobody out', async () => {
    const browser = await signedIn()
    const token = await tokenOf(browser)
    world.turns.state = 'down'
    const shown = await browser.post(`${PUBLIC}/sign-out`, { token })
    expect(shown.status).toBe(503)
    expect(browser.cookie(COOKIE)).toBeDefined()
  })
})

describe('a forged sign-out', () => {
  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling', { 'sec-fetch-site': 'same-site' }],
    ['another origin, in an old browser', { origin: 'https://evil.com' }],
  ])('from %s is refused, token or not', async (_, headers) => {
    const browser = await signedIn()
    const token = await tokenOf(browser)
    const shown = await browser.post(`${PUBLIC}/sign-out`, { token }, headers)
    expect(shown.status).toBe(403)
    expect(browser.cookie(COOKIE)).toBeDefined()
    expect(world.revoked.size).toBe(0)
  })

  it('without the token, or with one of another session, is refused', async () => {
    const browser = await signedIn()
    const other = await tokenOf(await signedIn(world, 'ben'))
    for (const form of [{}, { token: '' }, { token: 'AAAA' }, { token: other }])
      expect((await browser.post(`${PUBLIC}/sign-out`, form)).status).toBe(403)
    expect(browser.cookie(COOKIE)).toBeDefined()
  })

  it('with a page that was open for over half an hour is refused', async () => {
    const browser = await signedIn()
    const token = await tokenOf(browser)
    world.turns.clockMs = 1_801_000
    expect((await browser.post(`${PUBLIC}/sign-out`, { token })).status).toBe(403)
    world.turns.clockMs = 1_700_000
    expect((await browser.post(`${PUBLIC}/sign-out`, { token })).status).toBe(200)
  })

  it('a made-up state of the signed-out page says nothing', async () => {
    const shown = await world.browser().get(`${PUBLIC}/signed-out?state=%3Cscript%3E`)
    expect(shown.body).toContain('You were not signed in here.')
    expect(shown.body).not.toContain('<script>')
  })
})

describe('who am I', () => {
  it('says what was verified, for people', async () => {
    const browser = await signedIn()
    const shown = await browser.get(`${PUBLIC}/me`)
    expect(shown.status).toBe(200)
    for (const text of ['ada@example.com', 'Example corp', 'sre', 'Session ends'])
      expect(shown.body).toContain(text)
  })

  it('says the same to programs, without anything that could be replayed', async () => {
    const browser = await signedIn()
    const shown = await browser.get(`${PUBLIC}/me.json`, { accept: '*/*', 'sec-fetch-mode': 'cors' })
    expect(shown.headers.get('content-type')).toBe('application/json')
    expect(shown.headers.get('access-control-allow-origin')).toBeNull()
    expect(JSON.parse(shown.body)).toMatchObject({
      provider: 'corp',
      subject: 'ada',
      groups: ['sre'],
      claims: { email: 'ada@example.com' },
      session: { amr: ['pwd'] },
    })
    expect(shown.body).not.toContain(world.sessionOf(browser)?.id)
  })

  it('is 401 for nobody, as a page and as a problem', async () => {
    const page = await world.browser().get(`${PUBLIC}/me`)
    expect([page.status, page.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8'])
    expect(page.body).toContain('You are not signed in')
    const json = await world.browser().get(`${PUBLIC}/me.json`)
    expect([json.status, json.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
    expect(json.headers.get('www-authenticate')).toBe('Session realm="postern"')
  })

  it('is a problem document for a client that asks for JSON, a page for one that takes anything', async () => {
    const types = async (accept: string) =>
      (await world.browser().get(`${PUBLIC}/me`, { accept })).headers.get('content-type')
    expect(await types('application/json')).toBe('application/problem+json')
    expect(await types('application/json, text/html')).toBe('text/html; charset=utf-8')
    expect(await types('*/*')).toBe('text/html; charset=utf-8')
  })

  it('is 503 when nobody can know, and clears nothing', async () => {
    const browser = await signedIn()
    world.turns.state = 'down'
    const shown = await browser.get(`${PUBLIC}/me`)
    expect(shown.status).toBe(503)
    expect(shown.headers.getSetCookie()).toEqual([])
    expect(browser.cookie(COOKIE)).toBeDefined()
  })

  it('an application behind the same session is not opened by a look at it', async () => {
    const browser = await signedIn(world, 'ben')
    await browser.get(`${PUBLIC}/me`)
    expect((await browser.visit(`${APP}/x`)).status).toBe(403)
  })
})
