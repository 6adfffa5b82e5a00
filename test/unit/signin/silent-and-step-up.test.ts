// Asking for more: silently for claims that a session lacks, aloud for a stronger or newer proof. Never in a circle.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Browser } from './browser.ts'
import { APP, COOKIE, logIn, makeWorld, PUBLIC, without, type World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await makeWorld()
})

afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const signedIn = async (who = 'ada', extra: Readonly<Record<string, string>> = {}): Promise<Browser> => {
  const browser = world.browser()
  await logIn(browser, await browser.visit(`${PUBLIC}/sign-in`), who, extra)
  return browser
}

const asked = (browser: Browser): readonly URLSearchParams[] =>
  browser.history.filter((url) => url.includes('/auth?')).map((url) => new URL(url).searchParams)

describe('a claim that the session did not capture', () => {
  it('is fetched silently, and the page opens', async () => {
    const browser = await signedIn()
    expect(world.sessionOf(browser)?.captured).not.toContain('name')
    world.turns.policy = { ...world.turns.policy, claims: ['email', 'groups', 'name'] }
    const shown = await browser.visit(`${APP}/named/x`)
    expect(shown.body).toBe('application /named/x')
    expect(asked(browser).at(-1)?.get('prompt')).toBe('none')
    expect(world.sessionOf(browser)).toMatchObject({ claims: { name: 'Ada Lovelace' } })
    expect(world.events.at(-1)).toMatchObject({ kind: 'login', purpose: 'reauth' })
  })

  it('is captured although this replica does not read it: what was asked for counts', async () => {
    const browser = await signedIn()
    const shown = await browser.visit(`${APP}/named/x`)
    expect(shown.body).toBe('application /named/x')
    expect(world.sessionOf(browser)?.captured).toContain('name')
  })

  it('is absent when it was asked for and not got: denied, not asked again', async () => {
    const browser = await signedIn()
    world.provider.misbehave.idToken = (claims) => without(claims, 'name')
    world.provider.misbehave.userInfo = (claims) => without(claims, 'name')
    const shown = await browser.visit(`${APP}/named/x`)
    expect([shown.status, shown.body]).toEqual([403, 'denied by the proxy'])
    expect(asked(browser).filter((one) => one.get('prompt') === 'none')).toHaveLength(1)
  })

  it('is asked for aloud, once, when the provider knows nobody any more', async () => {
    const browser = await signedIn()
    browser.setCookie(world.provider.issuer, '_session=; Path=/; Max-Age=0')
    const form = await browser.visit(`${APP}/named/x`)
    expect(form.url).toContain('/login/')
    expect(asked(browser).map((one) => one.get('prompt'))).toEqual([null, 'none', null])
    expect((await logIn(browser, form, 'ada')).body).toBe('application /named/x')
  })
})

describe('a step-up', () => {
  it('asks for the level, and what the provider gives opens the page', async () => {
    const browser = await signedIn()
    const form = await browser.visit(`${APP}/strong/x`)
    expect(asked(browser).at(-1)?.get('acr_values')).toBe('urn:test:second-factor')
    const shown = await logIn(browser, form, 'ada', { 'second-factor': 'yes' })
    expect(shown.body).toBe('application /strong/x')
    expect(world.sessionOf(browser)).toMatchObject({
      amr: ['pwd', 'otp'],
      stepUp: { rule: 'grafana#strong' },
    })
    expect(world.events.at(-1)).toMatchObject({ kind: 'login', purpose: 'step-up' })
  })

  it('that did not help is a denial, not a circle, and can be tried again after five minutes', async () => {
    const browser = await signedIn()
    const shown = await logIn(browser, await browser.visit(`${APP}/strong/x`), 'ada')
    expect([shown.status, shown.body]).toEqual([403, 'denied by the proxy'])
    const page = await browser.get(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/strong/x`)}`)
    expect(page.status).toBe(403)
    expect(page.body).toContain('a sign-in with two factors')
    world.turns.clockMs = 301_000
    expect((await browser.visit(`${APP}/strong/x`)).url).toContain('/login/')
  })

  it('asks for a new login where nothing else can be asked for by name', async () => {
    const plain = await makeWorld({ mfaAcr: [] })
    const browser = plain.browser()
    await logIn(browser, await browser.visit(`${PUBLIC}/sign-in`), 'ada')
    const form = await browser.visit(`${APP}/strong/x`)
    expect(asked(browser).at(-1)?.get('prompt')).toBe('login')
    expect((await logIn(browser, form, 'ada', { 'second-factor': 'yes' })).body).toBe('application /strong/x')
    await plain.close()
  })

  it('asks for a newer login with max_age, and an old answer does not count', async () => {
    const browser = await signedIn()
    world.provider.misbehave.idToken = (claims) => ({ ...claims, auth_time: (claims.iat ?? 0) - 600 })
    const old = world.browser()
    await logIn(old, await old.visit(`${PUBLIC}/sign-in`), 'ada')
    const shown = await old.visit(`${APP}/fresh/x`)
    expect(asked(old).at(-1)?.get('max_age')).toBe('60')
    expect([shown.status, shown.body]).toEqual([403, 'denied by the proxy'])
    expect((await browser.visit(`${APP}/fresh/x`)).body).toBe('application /fresh/x')
  })

  it('that the provider cannot give says so', async () => {
    const browser = await signedIn()
    world.provider.misbehave.authorizationResponse = (url) => {
      url.searchParams.delete('code')
      url.searchParams.set('error', 'unmet_authentication_requirements')
    }
    const shown = await logIn(browser, await browser.visit(`${APP}/strong/x`), 'ada')
    expect(shown.status).toBe(403)
    expect(shown.body).toContain('PST-1016')
    expect(browser.cookie(COOKIE)).toBeDefined()
  })
})

describe('an invitation', () => {
  it('asks nobody anything: who is not known at the provider goes back as he came', async () => {
    world.turns.judge = (judged) => ({
      ...judged,
      decision: {
        outcome: 'challenge',
        reason: 'CHALLENGE_INVITE',
        demand: { kind: 'credential', accepts: ['session'] },
        route: 'grafana',
        section: '/public',
        rule: undefined,
      },
    })
    const browser = world.browser()
    const shown = await browser.visit(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/public/x`)}`)
    expect(shown.body).toBe('application /public/x')
    expect(asked(browser).map((one) => one.get('prompt'))).toEqual(['none'])
    expect(browser.cookie(COOKIE)).toBeUndefined()
  })
})
