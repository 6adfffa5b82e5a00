// What somebody may try who lost a group, or never wants to lose one: no answer of a provider, bad or missing, and none that
// he can provoke, makes more of a session than the provider last said of it.
import { describe, expect, it } from 'vitest'
import { askNginx, untilReady } from '../support/running-service.ts'
import {
  APP,
  cookieOf,
  makeWorld,
  policy,
  providerSettings,
  PUBLIC,
  signedIn,
  type World,
  type WorldPlan,
} from '../support/sign-in-world.ts'
import type { Browser } from '../unit/signin/browser.ts'

const MINUTE_MS = 60_000
const REFRESHING = { claimsInIdToken: true, endSession: true, refreshTokens: true }

const makeFreshWorld = (plan: WorldPlan = {}): Promise<World> =>
  makeWorld(PUBLIC, { provider: REFRESHING, ...plan })

const statusOf = async (world: World, browser: Browser, path = '/d/abc'): Promise<number> =>
  (await askNginx(world.service, `${APP}${path}`, { cookie: cookieOf(browser) })).status

const renew = (browser: Browser) => browser.post(`${PUBLIC}/renew`, {}, { 'sec-fetch-mode': 'cors' })

const everybodyBut = (rule: string): string =>
  policy(`- path: /\n  allow: [{id: all, authenticated: true}]\n  deny: [${rule}]\n`)

const withoutGroups = (claims: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'groups'))

describe('a claim that the sign-in was not granted', () => {
  it.each(['by /renew', 'by the time'] as const)(
    'is not taken for absent after a refresh (%s): a deny that reads it does not open',
    async (how) => {
      const world = await makeFreshWorld()
      const providers = (...scopes: readonly string[]) => ({
        providers: [
          { ...providerSettings(world.provider.issuer), scopes: ['openid', 'email', 'groups', ...scopes] },
        ],
      })
      await world.service.configure(providers())
      await world.service.write('policies/app.yaml', everybodyBut('{id: none, groups: [nobody]}'))
      await world.restart()
      const cy = await signedIn(world, 'cy')
      expect(await statusOf(world, cy)).toBe(200)
      await world.service.configure(providers('profile'))
      await world.service.write(
        'policies/app.yaml',
        everybodyBut('{id: suspended, claims: {name: [Cy Lindqvist]}}'),
      )
      await world.restart()
      expect(await statusOf(world, cy)).toBe(401)
      world.clock.aheadMs = how === 'by /renew' ? 40_000 : 11 * MINUTE_MS
      if (how === 'by /renew') await renew(cy)
      expect(await statusOf(world, cy)).toBe(401)
      expect(await statusOf(world, await signedIn(world, 'cy'))).toBe(403)
    },
  )
})

describe('a claim that a refresh leaves out', () => {
  it('is asked for by a sign-in, and no deny opens in between', async () => {
    const world = await makeFreshWorld()
    await world.service.write(
      'policies/app.yaml',
      everybodyBut('{id: no-contractors, groups: [contractors]}'),
    )
    await untilReady(world.service, 'policy', /generation 2/)
    const [cy, ada] = [await signedIn(world, 'cy'), await signedIn(world)]
    expect([await statusOf(world, cy), await statusOf(world, ada)]).toEqual([403, 200])
    world.provider.misbehave.idToken = withoutGroups
    world.provider.misbehave.userInfo = withoutGroups
    world.clock.aheadMs = 11 * MINUTE_MS
    expect([await statusOf(world, cy), await statusOf(world, ada)]).toEqual([401, 401])
    world.provider.misbehave.idToken = undefined
    world.provider.misbehave.userInfo = undefined
    expect((await cy.visit(`${APP}/d/abc`)).status).toBe(403)
    expect((await ada.visit(`${APP}/d/abc`)).status).toBe(200)
  })
})

describe('a session that its provider serves badly', () => {
  it('keeps no other from being learned anew', async () => {
    const world = await makeFreshWorld()
    const [ada, ben] = [await signedIn(world), await signedIn(world, 'ben')]
    world.provider.misbehave.groups = { ada: ['guests'] }
    world.clock.aheadMs = 11 * MINUTE_MS
    world.provider.misbehave.tokenError = true
    await statusOf(world, ben)
    world.provider.misbehave.tokenError = false
    expect(await statusOf(world, ada)).toBe(403)
  })

  it('keeps a group for twice the time at most, while the provider serves others', async () => {
    const world = await makeFreshWorld()
    const [ada, ben] = [await signedIn(world), await signedIn(world, 'ben')]
    world.provider.misbehave.groups = { ada: ['guests'] }
    const serve = async (minutes: number): Promise<readonly number[]> => {
      world.clock.aheadMs = minutes * MINUTE_MS
      world.provider.misbehave.tokenError = true
      const mine = await statusOf(world, ada)
      world.provider.misbehave.tokenError = false
      return [mine, await statusOf(world, ben)]
    }
    expect(await serve(11)).toEqual([200, 403])
    expect(await serve(21)).toEqual([401, 403])
  })

  it.each(['interaction_required', 'access_denied', 'login_required'])(
    'does not go on where the provider says %s',
    async (error) => {
      const world = await makeFreshWorld()
      const ada = await signedIn(world)
      world.provider.misbehave.refreshError = error
      world.clock.aheadMs = 11 * MINUTE_MS
      expect(await statusOf(world, ada)).toBe(401)
    },
  )
})

describe('a session whose person the provider wants to see', () => {
  it('is not asked about again at each decision: only the browser can help', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    world.provider.misbehave.refreshError = 'interaction_required'
    world.clock.aheadMs = 11 * MINUTE_MS
    const asked = (): number => world.provider.requests.filter((one) => one === 'POST /token').length
    const before = asked()
    for (const path of ['/a', '/b', '/c', '/d']) expect(await statusOf(world, ada, path)).toBe(401)
    expect(asked()).toBe(before + 1)
    world.provider.misbehave.refreshError = undefined
    expect((await ada.visit(`${APP}/d/abc`)).status).toBe(200)
  })
})

describe('a session of which nobody knows what was learned since', () => {
  it('does not get back what its cookie once said, though the provider is down', async () => {
    const world = await makeFreshWorld({ settings: { state: { kind: 'memory' } } })
    const ada = await signedIn(world)
    world.provider.misbehave.groups = { ada: ['guests'] }
    world.clock.aheadMs = 11 * MINUTE_MS
    expect(await statusOf(world, ada)).toBe(403)
    world.provider.misbehave.down = true
    await world.restart()
    expect(await statusOf(world, ada)).toBe(401)
  })
})

describe('a session that is signed out while it is learned anew', () => {
  it('stays ended', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    const cookie = cookieOf(ada)
    const page = await ada.visit(`${PUBLIC}/sign-out`)
    const token = /name="token" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    world.clock.aheadMs = 11 * MINUTE_MS
    await Promise.all([statusOf(world, ada), ada.post(`${PUBLIC}/sign-out`, { token })])
    expect((await askNginx(world.service, `${APP}/d/abc`, { cookie })).status).toBe(401)
  })
})
