// Keys of sessions are turned over without signing anybody out, and a key that is taken away ends what it sealed.
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { askNginx } from '../support/running-service.ts'
import { APP, cookieOf, makeWorld, PUBLIC, signedIn, type World } from '../support/sign-in-world.ts'
import type { Browser } from '../unit/signin/browser.ts'

const statusOf = async (world: World, browser: Browser): Promise<number> =>
  (await askNginx(world.service, `${APP}/d/abc`, { cookie: cookieOf(browser) })).status

const withKeys = async (world: World, ...files: readonly string[]): Promise<void> => {
  await world.service.configure({
    session: { domain: 'example.com', keys: files.map((file) => ({ file })) },
  })
  await world.restart()
}

describe('the key ring', () => {
  it('opens what an older key sealed, seals with the first, and the state goes along', async () => {
    const world = await makeWorld(PUBLIC, {
      provider: { claimsInIdToken: true, endSession: true, refreshTokens: true },
    })
    const [ada, gone] = [await signedIn(world), await signedIn(world)]
    await gone.follow(await gone.post(`${PUBLIC}/sign-out`, await tokenOf(gone)))
    await world.service.write('new.key', randomBytes(32).toString('base64'))
    const [before] = [cookieOf(ada)]
    await withKeys(world, 'new.key', 'session.key')
    expect(await statusOf(world, ada)).toBe(200)
    // A refresh token that the old key sealed is still used.
    world.clock.aheadMs = 11 * 60_000
    expect(await statusOf(world, ada)).toBe(200)
    const later = await signedIn(world)
    await withKeys(world, 'new.key')
    expect(await statusOf(world, later)).toBe(200)
    expect((await askNginx(world.service, `${APP}/d/abc`, { cookie: before })).status).toBe(401)
  })
})

const tokenOf = async (browser: Browser): Promise<Readonly<Record<string, string>>> => {
  const page = await browser.visit(`${PUBLIC}/sign-out`)
  return { token: /name="token" value="([^"]+)"/.exec(page.body)?.[1] ?? '' }
}
