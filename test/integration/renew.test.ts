// `/renew`: a page that only fetches keeps its session, and is told when only a page load can help.
import { describe, expect, it } from 'vitest'
import { askNginx } from '../support/running-service.ts'
import { SESSION_COOKIE } from '../support/service-folder.ts'
import { APP, cookieOf, makeWorld, PUBLIC, signedIn, type World } from '../support/sign-in-world.ts'
import type { Browser, Shown } from '../unit/signin/browser.ts'

const MINUTE_MS = 60_000
const SCRIPT = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }

const worldOf = (refreshTokens: boolean): Promise<World> =>
  makeWorld(PUBLIC, { provider: { claimsInIdToken: true, endSession: true, refreshTokens } })

const renew = (browser: Browser): Promise<Shown> => browser.post(`${PUBLIC}/renew`, {}, SCRIPT)

const statusOf = async (world: World, browser: Browser): Promise<number> =>
  (await askNginx(world.service, `${APP}/d/abc`, { cookie: cookieOf(browser) })).status

describe('/renew', () => {
  it('learns the session anew, sets the cookie that says so, and tells until when it is good', async () => {
    const world = await worldOf(true)
    const ada = await signedIn(world)
    const before = ada.cookie(SESSION_COOKIE)
    world.clock.aheadMs = 5 * MINUTE_MS
    world.provider.misbehave.groups = { ada: [] }
    const answer = await renew(ada)
    expect(answer.status).toBe(200)
    const { expiresAt, freshUntil } = JSON.parse(answer.body) as Record<string, string>
    expect(Date.parse(freshUntil ?? '')).toBeGreaterThan(Date.now() + 14 * MINUTE_MS)
    expect(Date.parse(expiresAt ?? '')).toBeGreaterThan(Date.now() + 11 * 60 * MINUTE_MS)
    expect(ada.cookie(SESSION_COOKIE)).not.toBe(before)
    expect(await statusOf(world, ada)).toBe(403)
  })

  it('asks the provider no more than it has to', async () => {
    const world = await worldOf(true)
    const ada = await signedIn(world)
    const before = world.provider.requests.length
    for (let index = 0; index < 5; index += 1) expect((await renew(ada)).status).toBe(200)
    expect(world.provider.requests.length).toBe(before)
  })

  it('says that only a page load can help, where there is nothing to ask with and the time is up', async () => {
    const world = await worldOf(false)
    const ada = await signedIn(world)
    world.clock.aheadMs = 5 * MINUTE_MS
    expect((await renew(ada)).status).toBe(200)
    world.clock.aheadMs = 11 * MINUTE_MS
    const answer = await renew(ada)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
    expect(answer.body).toContain(`${PUBLIC}/sign-in`)
  })

  it('says the same to nobody, and to a session that its provider has ended', async () => {
    const world = await worldOf(true)
    expect((await renew(world.browser())).status).toBe(401)
    const ada = await signedIn(world)
    world.provider.misbehave.refuseRefresh = true
    world.clock.aheadMs = 5 * MINUTE_MS
    expect((await renew(ada)).status).toBe(401)
    expect(await statusOf(world, ada)).toBe(401)
  })

  it('goes on while the provider is down', async () => {
    const world = await worldOf(true)
    const ada = await signedIn(world)
    world.provider.misbehave.down = true
    world.clock.aheadMs = 11 * MINUTE_MS
    expect((await renew(ada)).status).toBe(200)
    expect(await statusOf(world, ada)).toBe(200)
  })
})
