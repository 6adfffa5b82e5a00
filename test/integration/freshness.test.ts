// What a provider takes away ends access within `session.freshness`, and what a provider cannot say ends nothing: over
// real sockets, with a provider that turns its refresh tokens over at each use.
import { describe, expect, it } from 'vitest'
import { askNginx, headerOf, until } from '../support/running-service.ts'
import { SESSION_COOKIE } from '../support/service-folder.ts'
import {
  APP,
  cookieOf,
  eventsOf,
  logIn,
  makeWorld,
  PUBLIC,
  signedIn,
  type World,
} from '../support/sign-in-world.ts'
import type { Browser } from '../unit/signin/browser.ts'

const MINUTE_MS = 60_000
const REFRESHING = { claimsInIdToken: true, endSession: true, refreshTokens: true }
const SILENT = { claimsInIdToken: true, endSession: true, refreshTokens: false }

const makeFreshWorld = (provider = REFRESHING): Promise<World> => makeWorld(PUBLIC, { provider })

const ask = (world: World, browser: Browser, headers: readonly (readonly [string, string])[] = []) =>
  askNginx(world.service, `${APP}/d/abc`, { cookie: cookieOf(browser), headers })

const tokenRequests = (world: World): number =>
  world.provider.requests.filter((one) => one === 'POST /token').length

const renewals = (world: World, outcome: string) =>
  until(
    async () => (await eventsOf(world, 'session.renew')).filter((one) => one['outcome'] === outcome),
    (lines) => lines.length > 0,
  )

describe('a session whose provider gave a refresh token', () => {
  it('is learned anew when it is due: a group that was taken away ends access, another session keeps it', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    expect((await ask(world, ada)).status).toBe(200)
    world.provider.misbehave.groups = { ada: ['guests'] }
    // The cached decision and the cookie both still say `sre`: within the configured time that is what was promised.
    expect((await ask(world, ada)).status).toBe(200)
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(403)
    world.provider.misbehave.groups = {}
    world.clock.aheadMs = 22 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
  })

  it('is learned once for fifty decisions at the same moment, though the provider takes each token once', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    const before = tokenRequests(world)
    world.clock.aheadMs = 11 * MINUTE_MS
    const paths = Array.from({ length: 50 }, (_, index) => `${APP}/d/${index}`)
    const answers = await Promise.all(
      paths.map((url) => askNginx(world.service, url, { cookie: cookieOf(ada) })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(tokenRequests(world)).toBe(before + 1)
    world.clock.aheadMs = 22 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    expect(tokenRequests(world)).toBe(before + 2)
  })

  it('is learned ahead of time beside a decision, and cached decisions of before are not served after', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    world.clock.aheadMs = 9 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    await renewals(world, 'success')
    // That answer was cached under the groups of before.
    const [hit] = (await world.service.log()).filter((line) => line['cache'] === 'hit')
    expect(hit).toBeUndefined()
    world.provider.misbehave.groups = { ada: [] }
    world.clock.aheadMs = 18 * MINUTE_MS
    await ask(world, ada)
    await until(
      () => eventsOf(world, 'session.renew'),
      (lines) => lines.length === 2,
    )
    expect((await ask(world, ada)).status).toBe(403)
  })

  it('goes on while the provider is down, which the log says, and is learned when it is back', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    world.provider.misbehave.down = true
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    const [failed] = await renewals(world, 'failed')
    expect(failed).toMatchObject({ why: 'network', sub: { id: 'corp|ada' } })
    const before = world.provider.requests.length
    expect((await ask(world, ada)).status).toBe(200)
    expect(world.provider.requests.length).toBe(before)
    world.provider.misbehave.down = false
    world.provider.misbehave.groups = { ada: [] }
    world.clock.aheadMs = 12 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(403)
  })

  it('goes on while the provider answers nonsense or not at all; its absolute limit still ends it', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    world.provider.misbehave.tokenError = true
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    world.provider.misbehave.tokenError = false
    world.provider.misbehave.hangOnRefresh = true
    world.clock.aheadMs = 25 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    world.clock.aheadMs = 13 * 60 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(401)
  })

  it('ends where the provider refuses the token for good: cached decisions too, and it is written down why', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    expect((await ask(world, ada)).status).toBe(200)
    world.provider.misbehave.refuseRefresh = true
    world.clock.aheadMs = 11 * MINUTE_MS
    const refused = await ask(world, ada)
    expect(refused.status).toBe(401)
    expect((await ask(world, ada)).status).toBe(401)
    const [line] = await until(
      () => eventsOf(world, 'session.revoke'),
      (lines) => lines.length === 1,
    )
    expect(line).toMatchObject({ by: 'provider', why: 'invalid_grant', durable: true })
  })

  it('ends where the refreshed token is another person', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    world.provider.misbehave.idToken = (claims) => ({ ...claims, sub: 'ben' })
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(401)
    const lines = await until(
      () => eventsOf(world, 'session.revoke'),
      (all) => all.length === 1,
    )
    expect(lines).toMatchObject([{ why: 'another_subject' }])
  })

  it.each(['keys', 'UserInfo', 'a token that is not believed'] as const)(
    'outlives an answer that fails after the provider has turned its token over: %s',
    async (what) => {
      const world = await makeFreshWorld({ ...REFRESHING, claimsInIdToken: what !== 'UserInfo' })
      const ada = await signedIn(world)
      if (what === 'keys') world.provider.misbehave.brokenPath = '/jwks'
      if (what === 'UserInfo') world.provider.misbehave.brokenPath = '/me'
      if (what === 'a token that is not believed') world.provider.misbehave.signature = 'foreign'
      world.clock.aheadMs = 11 * MINUTE_MS
      expect((await ask(world, ada)).status).toBe(200)
      await renewals(world, 'failed')
      world.provider.misbehave.brokenPath = undefined
      world.provider.misbehave.signature = undefined
      world.clock.aheadMs = 14 * MINUTE_MS
      expect((await ask(world, ada)).status).toBe(200)
      await renewals(world, 'success')
      expect(await eventsOf(world, 'session.revoke')).toEqual([])
    },
  )

  it('keeps its token and what was learned over a restart, in a file that gives neither away', async () => {
    const world = await makeFreshWorld()
    const ada = await signedIn(world)
    world.provider.misbehave.groups = { ada: ['guests'] }
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(403)
    await world.restart()
    expect((await ask(world, ada)).status).toBe(403)
    world.provider.misbehave.groups = {}
    world.clock.aheadMs = 22 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    expect(await world.service.read('postern.state')).not.toMatch(/guests|refresh|eyJ/)
  })
})

describe('a session without a refresh token', () => {
  it('is asked about through the browser: a page load silently, a fetch with a plain 401', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    const first = ada.cookie(SESSION_COOKIE)
    world.clock.aheadMs = 11 * MINUTE_MS
    const fetched = await ask(world, ada, [['Sec-Fetch-Mode', 'cors']])
    expect([fetched.status, headerOf(fetched, 'location')]).toEqual([401, undefined])
    // The provider's own session answers without a word.
    const shown = await ada.visit(`${APP}/d/abc?from=now`)
    expect([shown.status, shown.url]).toEqual([200, `${APP}/d/abc?from=now`])
    expect(ada.cookie(SESSION_COOKIE)).not.toBe(first)
    expect((await ask(world, ada, [['Sec-Fetch-Mode', 'cors']])).status).toBe(200)
  })

  it('learns that way that a group is gone', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    world.provider.misbehave.groups = { ada: [] }
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ada.visit(`${APP}/d/abc`)).status).toBe(403)
  })

  it('asks the person where the provider wants to see her again', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    world.provider.misbehave.authorizationResponse = (url) => {
      if (url.searchParams.has('code')) return
      expect(url.searchParams.get('error')).toBe('login_required')
    }
    ada.forget(world.provider.issuer)
    world.clock.aheadMs = 11 * MINUTE_MS
    const form = await ada.visit(`${APP}/d/abc`)
    expect(form.body).toContain('<title>Test provider</title>')
    expect((await logIn(ada, form, 'ada')).url).toBe(`${APP}/d/abc`)
  })

  it('goes on while the provider is down: asking would only show that', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    world.provider.misbehave.down = true
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(200)
    world.provider.misbehave.down = false
    world.clock.aheadMs = 12 * MINUTE_MS
    expect((await ask(world, ada)).status).toBe(401)
  })

  it('is not prolonged by it: the absolute limit is that of the sign-in', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    for (let minutes = 11; minutes < 12 * 60; minutes += 55) {
      world.clock.aheadMs = minutes * MINUTE_MS
      expect((await ada.visit(`${APP}/d/abc`)).status).toBe(200)
    }
    world.clock.aheadMs = 12 * 60 * MINUTE_MS + MINUTE_MS
    const late = await ask(world, ada)
    expect(late.status).toBe(401)
    await until(
      () => eventsOf(world, 'decision'),
      (lines) =>
        lines.some(
          ({ id, reason }) => id === headerOf(late, 'x-postern-decision') && reason === 'CHALLENGE_EXPIRED',
        ),
    )
  })

  it('takes the sessions before it along, when it is signed out', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    const before = cookieOf(ada)
    await ada.visit(`${PUBLIC}/sign-in?rd=${encodeURIComponent(`${APP}/strong`)}`)
    world.clock.aheadMs = 11 * MINUTE_MS
    await ada.visit(`${APP}/d/abc`)
    world.clock.aheadMs = 0
    expect((await askNginx(world.service, `${APP}/x`, { cookie: before })).status).toBe(200)
    const page = await ada.visit(`${PUBLIC}/sign-out`)
    const token = /name="token" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    await ada.post(`${PUBLIC}/sign-out`, { token })
    expect((await ask(world, ada)).status).toBe(401)
    expect((await askNginx(world.service, `${APP}/x`, { cookie: before })).status).toBe(401)
  })

  it('can still be signed out', async () => {
    const world = await makeFreshWorld(SILENT)
    const ada = await signedIn(world)
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await ada.visit(`${PUBLIC}/sign-out`)).body).toContain('ada')
  })
})
