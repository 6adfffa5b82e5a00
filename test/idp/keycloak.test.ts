// Sign-in, refresh and both kinds of sign-out against a real Keycloak: through its own login form, with groups from its
// directory, changed by its administrator. Nothing of it is imitated but the names of the hosts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headerOf, until } from '../support/running-service.ts'
import { SESSION_COOKIE } from '../support/service-folder.ts'
import type { Browser } from '../unit/signin/browser.ts'
import {
  APP,
  eventsOf,
  isLoginForm,
  keycloakFolder,
  logIn,
  makeWorlds,
  PUBLIC,
  signedIn,
  statusOf,
  type World,
  type Worlds,
} from './world.ts'

describe.skipIf(keycloakFolder === undefined)('at a real Keycloak', () => {
  let worlds: Worlds
  let world: World
  beforeAll(async () => {
    worlds = await makeWorlds()
    world = worlds.usual
    const seconds = (world.keycloak.readyAfterMs / 1000).toFixed(1)
    const megabytes = Math.round((world.keycloak.residentBytes() ?? 0) / 1e6)
    console.error(`Keycloak was ready after ${seconds} s, with ${megabytes} MB`)
  })
  // Undefined where it did not start: then `beforeAll` has said why.
  afterAll(() => (worlds as Worlds | undefined)?.close())

  describe('sign-in', () => {
    it('leads through its login form and back to the very page, with the groups of its directory', async () => {
      const browser = world.browser()
      const shown = await logIn(browser, await browser.visit(`${APP}/d/errors?from=now-1h`), 'ada')
      expect([shown.url, shown.body]).toEqual([`${APP}/d/errors?from=now-1h`, 'application /d/errors'])
      const allowed = world.decisions.at(-1)!
      expect(headerOf(allowed, 'x-auth-request-email')).toBe('ada@example.com')
      expect(headerOf(allowed, 'x-auth-request-preferred-username')).toBe('ada')
      expect((headerOf(allowed, 'x-auth-request-groups') ?? '').split(',').toSorted()).toEqual([
        'on-call',
        'sre',
      ])
      expect(await statusOf(world, browser, '/rota')).toBe(200)
    })

    it('does not let in whom the directory lists elsewhere: the page says which group is missing', async () => {
      const browser = world.browser()
      const shown = await logIn(browser, await browser.visit('https://page.example.com/d/errors'), 'ben')
      expect(shown.status).toBe(403)
      for (const part of ['ben@example.com', 'the group sre']) expect(shown.body).toContain(part)
      expect(browser.cookie(SESSION_COOKIE)).toBeDefined()
    })

    it('with a wrong password stays at Keycloak, and makes no session', async () => {
      const browser = world.browser()
      const form = await browser.visit(`${APP}/d/errors`)
      const action = /<form[^>]* id="kc-form-login"[^>]* action="([^"]+)"/.exec(form.body)?.[1] ?? ''
      const shown = await browser.post(new URL(action.replaceAll('&amp;', '&'), form.url).href, {
        username: 'ada',
        password: 'wrong',
        credentialId: '',
      })
      expect(isLoginForm(shown)).toBe(true)
      expect(browser.cookie(SESSION_COOKIE)).toBeUndefined()
    })

    it('is not asked twice: the session there signs in again without a form', async () => {
      const browser = await signedIn(world, 'ada')
      browser.setCookie(PUBLIC, `${SESSION_COOKIE}=; Domain=example.com; Path=/; Secure; Max-Age=0`)
      const shown = await browser.visit(`${APP}/d/again`)
      expect(shown.body).toBe('application /d/again')
    })
  })

  describe('sign-out', () => {
    it('ends the session there too: whoever comes next is asked for a password', async () => {
      const browser = await signedIn(world, 'grace')
      const before = `${browser.cookie(SESSION_COOKIE)}`
      expect(await world.keycloak.admin.sessionsOf('grace')).toBe(1)
      const confirm = await browser.get(`${PUBLIC}/sign-out`)
      const token = /name="token" value="([^"]+)"/.exec(confirm.body)?.[1] ?? ''
      const out = await browser.follow(await browser.post(`${PUBLIC}/sign-out`, { token }))
      expect(new URL(out.url).pathname).toBe('/signed-out')
      expect(out.url.startsWith(PUBLIC)).toBe(true)
      expect(out.body).toContain('Staff directory')
      expect(browser.cookie(SESSION_COOKIE)).toBeUndefined()
      await until(
        () => world.keycloak.admin.sessionsOf('grace'),
        (count) => count === 0,
      )
      // A copy of the cookie is worth nothing either.
      browser.setCookie(PUBLIC, `${SESSION_COOKIE}=${before}; Domain=example.com; Path=/; Secure`)
      expect(await statusOf(world, browser, '/d/abc')).toBe(401)
      expect(isLoginForm(await browser.visit(`${APP}/d/abc`))).toBe(true)
    })
  })

  describe('what its administrator changes', () => {
    it('a group that is taken away ends access within the configured time, and comes back the same way', async () => {
      const { hasty } = worlds
      const { admin } = hasty.keycloak
      const ada = await signedIn(hasty, 'ada')
      const ben = await signedOutside(hasty, 'ben')
      expect(await statusOf(hasty, ada, '/rota')).toBe(200)
      await admin.leaveGroup('ada', 'on-call')
      await becomes(hasty, ada, '/rota', 403)
      // Only what was taken away is gone, and only for whom it was taken from.
      expect(await statusOf(hasty, ada, '/d/abc')).toBe(200)
      expect(await statusOf(hasty, ben, '/d/abc')).toBe(403)
      await admin.joinGroup('ada', 'on-call')
      await becomes(hasty, ada, '/rota', 200)
      await admin.joinGroup('ben', 'sre')
      await becomes(hasty, ben, '/d/abc', 200)
      const renewed = await until(
        () => eventsOf(hasty, 'session.renew'),
        (lines) => lines.length >= 3,
      )
      expect(renewed.filter(({ outcome }) => outcome !== 'success')).toEqual([])
    })

    it('within the configured time the session is what it was', async () => {
      const ada = await signedIn(world, 'ada')
      expect(await statusOf(world, ada, '/rota')).toBe(200)
      await world.keycloak.admin.leaveGroup('ada', 'on-call')
      expect(await statusOf(world, ada, '/rota')).toBe(200)
      await world.keycloak.admin.joinGroup('ada', 'on-call')
    })

    it('a session that it ends is over at the next decision, a cached one too; another person goes on', async () => {
      const [linus, ada] = [await signedIn(world, 'linus'), await signedIn(world, 'ada')]
      for (const browser of [linus, linus, ada, ada])
        expect(await statusOf(world, browser, '/d/abc')).toBe(200)
      await world.keycloak.admin.endSessions('linus')
      await becomes(world, linus, '/d/abc', 401)
      expect(await statusOf(world, ada, '/d/abc')).toBe(200)
      // Nothing but the back channel told it.
      const told = await until(
        () => eventsOf(world, 'session.revoke'),
        (lines) => lines.some((line) => line['by'] === 'back-channel'),
      )
      expect(told.filter(({ by, durable }) => by !== 'back-channel' || durable !== true)).toEqual([])
      expect(await eventsOf(world, 'session.renew')).toEqual([])
      // Nobody is locked out by it.
      const again = await logIn(linus, await linus.visit(`${APP}/d/abc`), 'linus')
      expect(again.body).toBe('application /d/abc')
      expect(await statusOf(world, linus, '/d/abc')).toBe(200)
    })

    it('a session that it ends without telling is over once it is asked', async () => {
      const { hasty } = worlds
      const linus = await signedIn(hasty, 'linus')
      expect(await statusOf(hasty, linus, '/d/abc')).toBe(200)
      await hasty.keycloak.admin.endSessions('linus')
      await becomes(hasty, linus, '/d/abc', 401)
      const [line] = await until(
        () => eventsOf(hasty, 'session.revoke'),
        (lines) => lines.length > 0,
      )
      expect(line).toMatchObject({ by: 'provider', why: 'invalid_grant', durable: true })
    })

    it('a new signing key is believed at once, by the next sign-in and the next look at a session', async () => {
      const { hasty } = worlds
      const ada = await signedIn(hasty, 'ada')
      const kidsBefore = await hasty.keycloak.signingKeys()
      await hasty.keycloak.admin.rotateKeys()
      expect((await hasty.keycloak.signingKeys()).length).toBe(kidsBefore.length + 1)
      await signedIn(hasty, 'linus')
      await signedIn(world, 'linus')
      await hasty.keycloak.admin.leaveGroup('ada', 'on-call')
      await becomes(hasty, ada, '/rota', 403)
      await hasty.keycloak.admin.joinGroup('ada', 'on-call')
      expect((await eventsOf(hasty, 'session.renew')).filter(({ outcome }) => outcome !== 'success')).toEqual(
        [],
      )
    })

    it('an account that is disabled is out once it is asked, and cannot sign in again', async () => {
      const { hasty } = worlds
      const grace = await signedIn(hasty, 'grace')
      expect(await statusOf(hasty, grace, '/d/abc')).toBe(200)
      await hasty.keycloak.admin.disable('grace')
      await becomes(hasty, grace, '/d/abc', 401)
      const shown = await logIn(grace, await grace.visit(`${APP}/d/abc`), 'grace')
      expect(shown.body).not.toContain('application')
      expect(await statusOf(hasty, grace, '/d/abc')).toBe(401)
    })
  })

  /** Somebody with a session that opens nothing yet. */
  const signedOutside = async (place: World, who: string): Promise<Browser> => {
    const browser = place.browser()
    await logIn(browser, await browser.visit('https://page.example.com/d/abc'), who)
    expect(browser.cookie(SESSION_COOKIE)).toBeDefined()
    return browser
  }

  /** Asks until the decision is this one. */
  const becomes = async (place: World, browser: Browser, path: string, status: number): Promise<void> => {
    await until(
      () => statusOf(place, browser, path),
      (now) => now === status,
    )
  }
})
