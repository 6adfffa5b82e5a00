// From the host of sign-in to the host of one application and nowhere else: what each station gives, and what an attacker
// who has everything but the victim's browser does not get.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SignInWebAnswer } from '../../../src/signin/web.ts'
import {
  A,
  AUTH,
  B,
  codeOf,
  headerOf,
  liveSession,
  makeHopWorld,
  NAME,
  NONCE,
  type Ask,
  type HopWorld,
} from './hop-world.ts'

let world: HopWorld
beforeEach(() => {
  world = makeHopWorld()
})
afterEach(() => {
  expect(world.faults).toEqual([])
})

const leaveTarget = (rd: string): string => `/postern/leave?rd=${encodeURIComponent(rd)}`
const signInTarget = (rd: string, more = ''): string => `/sign-in?rd=${encodeURIComponent(rd)}${more}`
const pathOf = (url: string | undefined): string => {
  const { pathname, search } = new URL(url ?? '')
  return pathname + search
}
const locationOf = (answer: SignInWebAnswer): URL => new URL(headerOf(answer, 'location') ?? '')
const setCookie = (answer: SignInWebAnswer, name: string): string | undefined =>
  answer.headers
    .filter(([key, value]) => key === 'set-cookie' && value.startsWith(`${name}=`))
    .map(([, value]) => value.slice(name.length + 1).split(';', 1)[0])[0]

/** Leaves a host and comes to sign-in with a session there: the nonce, and where the ticket leads. */
const leaveAndReturn = async (
  rd = `https://${B}/d/x?a=1`,
  session = liveSession(),
): Promise<{ readonly nonce: string; readonly land: URL }> => {
  const { host } = new URL(rd)
  const left = await world.ask({ host, target: leaveTarget(rd) })
  const back = await world.ask({
    host: AUTH,
    target: pathOf(headerOf(left, 'location')),
    cookies: { [NAME]: world.cookieOf(AUTH, session) },
  })
  return { nonce: setCookie(left, NONCE) ?? '', land: locationOf(back) }
}

const landOn = (land: URL, nonce: string | undefined, changes: Partial<Ask> = {}): Promise<SignInWebAnswer> =>
  world.ask({
    host: land.host,
    target: pathOf(land.href),
    cookies: nonce === undefined ? {} : { [NONCE]: nonce },
    ...changes,
  })

const givesNoSession = (answer: SignInWebAnswer): void => {
  expect(setCookie(answer, NAME)).toBeUndefined()
}

describe('from sign-in to the host of an application', () => {
  it('goes out for a nonce, back, and with a ticket to where the person wanted', async () => {
    world = makeHopWorld(`https://${AUTH}:8443`)
    const session = liveSession()
    const cookies = { [NAME]: world.cookieOf(AUTH, session) }
    const first = await world.ask({
      host: AUTH,
      target: signInTarget(`https://${B}:8443/d/x?a=1#top`),
      cookies,
    })
    expect(headerOf(first, 'location')).toBe(
      `https://${B}:8443${leaveTarget(`https://${B}:8443/d/x?a=1#top`)}`,
    )
    givesNoSession(first)
    const left = await world.ask({ host: B, target: pathOf(headerOf(first, 'location')) })
    expect(locationOf(left).host).toBe(`${AUTH}:8443`)
    expect(headerOf(left, 'set-cookie')).toMatch(
      /^__Host-postern-nonce=[\w-]{24}; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
    )
    const nonce = setCookie(left, NONCE) ?? ''
    expect(locationOf(left).href).not.toContain(nonce)
    const back = await world.ask({ host: AUTH, target: pathOf(headerOf(left, 'location')), cookies })
    const land = locationOf(back)
    expect(land.origin + land.pathname).toBe(`https://${B}:8443/postern/land`)
    expect(land.href.length).toBeLessThan(100)
    givesNoSession(back)
    // The proxy may hand the host on without its port.
    const landed = await landOn(land, nonce, { host: B })
    expect(headerOf(landed, 'location')).toBe(`https://${B}:8443/d/x?a=1#top`)
    expect(world.opened(B, setCookie(landed, NAME))).toEqual(session)
    expect(headerOf(landed, 'set-cookie')).toMatch(
      /; Path=\/; Max-Age=3[56]\d\d; Secure; HttpOnly; SameSite=Lax$/,
    )
  })

  it('gives a cookie that opens on that host and on no other', async () => {
    const { land, nonce } = await leaveAndReturn()
    const value = setCookie(await landOn(land, nonce), NAME)
    expect([A, B, AUTH, 'example.org'].map((host) => world.opened(host, value) !== undefined)).toEqual([
      false,
      true,
      false,
      false,
    ])
  })

  it('carries a session to no port but that of the scheme, or of `publicUrl`', async () => {
    const cookies = { [NAME]: world.cookieOf(AUTH) }
    const more = `&nonce=${'A'.repeat(43)}`
    const from = async (rd: string): Promise<string> =>
      (await world.ask({ host: AUTH, target: signInTarget(rd, more), cookies }).then(locationOf)).href
    for (const port of ['', ':443'])
      expect(await from(`https://${B}${port}/x`)).toMatch(`https://${B}/postern/land?ticket=`)
    for (const port of [':8443', ':80', ':1'])
      expect(await from(`https://${B}${port}/x`)).toBe(`https://${AUTH}/me`)
    const left = await world.ask({ host: B, target: leaveTarget(`https://${B}:8443/x`) })
    expect([headerOf(left, 'location'), headerOf(left, 'set-cookie')]).toEqual([
      `https://${AUTH}/sign-in`,
      undefined,
    ])
  })

  it('needs no hop to a host that shares the cookie of sign-in, or where nobody is signed in', async () => {
    const shared = makeHopWorld(`https://${A}/door`)
    const answer = await shared.ask({
      host: A,
      target: signInTarget(`https://${A}/x`),
      cookies: { [NAME]: shared.cookieOf(A) },
    })
    expect(headerOf(answer, 'location')).toBe(`https://${A}/x`)
  })

  it('lets tabs that leave together share one nonce', async () => {
    const first = await world.ask({ host: B, target: leaveTarget(`https://${B}/1`) })
    const nonce = setCookie(first, NONCE) ?? ''
    const second = await world.ask({
      host: B,
      target: leaveTarget(`https://${B}/2`),
      cookies: { [NONCE]: nonce },
    })
    expect(headerOf(second, 'set-cookie')).toBeUndefined()
    expect(locationOf(second).searchParams.get('nonce')).toBe(locationOf(first).searchParams.get('nonce'))
  })

  it('sends a tab whose nonce was overtaken by another out once more, without asking anybody', async () => {
    const one = await leaveAndReturn(`https://${B}/1`)
    const other = await leaveAndReturn(`https://${B}/2`)
    const landed = await landOn(one.land, other.nonce)
    expect(headerOf(landed, 'location')).toBe(`https://${B}${leaveTarget(`https://${B}/1`)}`)
    givesNoSession(landed)
    expect(setCookie(await landOn(other.land, other.nonce), NAME)).toBeDefined()
  })

  it('takes no nonce that it did not make', async () => {
    for (const planted of ['', 'short', 'with space in it, long enough', 'x'.repeat(65)]) {
      const left = await world.ask({
        host: B,
        target: leaveTarget(`https://${B}/`),
        cookies: { [NONCE]: planted },
      })
      expect(setCookie(left, NONCE)).not.toBe(planted)
    }
  })
})

describe('leaving', () => {
  it.each([
    `https://evil.example.com/`,
    `https://${B}/postern/leave?rd=x`,
    `https://${B}/%70ostern/land`,
    `https://${B}/x/../postern/land`,
    `https://${AUTH}/sign-out`,
    `//${B}/`,
    '',
  ])('leads to no other place: `%s`', async (rd) => {
    const left = await world.ask({ host: B, target: leaveTarget(rd) })
    expect(headerOf(left, 'location')).toBe(`https://${AUTH}/sign-in`)
    expect(headerOf(left, 'set-cookie')).toBeUndefined()
  })

  it('says so where the proxy passes another host on', async () => {
    for (const host of [A, AUTH, '', 'a b', `${B}, ${B}`]) {
      const left = await world.ask({ host, target: leaveTarget(`https://${B}/`) })
      expect([left.status, codeOf(left)]).toEqual([500, 'PST-1032'])
      expect(headerOf(left, 'set-cookie')).toBeUndefined()
    }
  })

  it('starts nothing for an image, a frame or a script', async () => {
    for (const headers of [
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      { 'x-requested-with': 'XMLHttpRequest' },
    ]) {
      const left = await world.ask({ host: B, target: leaveTarget(`https://${B}/`), headers })
      expect([left.status, headerOf(left, 'set-cookie')]).toEqual([401, undefined])
      expect(headerOf(left, 'www-authenticate')).toBe('Session realm="postern"')
    }
    expect((await world.ask({ host: B, target: leaveTarget('x'), method: 'POST' })).status).toBe(405)
  })

  it('is where sign-in stops, with a code, when the proxy guards it instead of handing it on', async () => {
    const answer = await world.ask({
      host: AUTH,
      target: signInTarget(`https://${B}${leaveTarget(`https://${B}/`)}`),
      cookies: { [NAME]: world.cookieOf(AUTH) },
    })
    expect(codeOf(answer)).toBe('PST-1032')
  })
})

describe('landing', () => {
  it('works once', async () => {
    const { land, nonce } = await leaveAndReturn()
    expect(setCookie(await landOn(land, nonce), NAME)).toBeDefined()
    const again = await landOn(land, nonce)
    expect([again.status, codeOf(again)]).toEqual([403, 'PST-1030'])
    givesNoSession(again)
    expect(world.events).toEqual([
      { kind: 'login-failed', provider: undefined, code: 'PST-1030', why: 'PST-1030' },
    ])
  })

  it('just goes on where it is loaded again by a browser that has its session', async () => {
    const { land, nonce } = await leaveAndReturn()
    const value = setCookie(await landOn(land, nonce), NAME) ?? ''
    const again = await landOn(land, nonce, { cookies: { [NAME]: value } })
    expect([again.status, headerOf(again, 'location')]).toEqual([303, `https://${B}/d/x?a=1`])
    givesNoSession(again)
  })

  it('is refused half a minute later, by the clock of the state', async () => {
    const { land, nonce } = await leaveAndReturn()
    world.turns.aheadSeconds = 31
    const late = await landOn(land, nonce)
    expect(codeOf(late)).toBe('PST-1030')
    givesNoSession(late)
  })

  it.each([
    ['no nonce', undefined],
    ['a nonce that nobody could have set', 'short'],
  ])('is refused to a browser with %s: a ticket in a link plants no session', async (_, nonce) => {
    const { land } = await leaveAndReturn()
    const answer = await landOn(land, nonce)
    expect([answer.status, codeOf(answer)]).toEqual([403, 'PST-1031'])
    givesNoSession(answer)
  })

  it("never gives the session of the attacker's ticket to a browser with another nonce", async () => {
    const attacker = await leaveAndReturn(`https://${B}/`, liveSession({ subject: 'mallory' }))
    const victim = await leaveAndReturn(`https://${B}/`)
    const answer = await landOn(attacker.land, victim.nonce)
    givesNoSession(answer)
    expect(locationOf(answer).pathname).toBe('/postern/leave')
  })

  it("never gives the victim's session to the attacker whose nonce the victim was sent with", async () => {
    const attacker = await world.ask({ host: B, target: leaveTarget(`https://${B}/`) })
    const victim = await world.ask({
      host: AUTH,
      target: pathOf(headerOf(attacker, 'location')),
      cookies: { [NAME]: world.cookieOf(AUTH) },
    })
    const inBrowserOfVictim = await landOn(locationOf(victim), undefined)
    givesNoSession(inBrowserOfVictim)
    // Read in some log afterwards, the address is used up.
    givesNoSession(await landOn(locationOf(victim), setCookie(attacker, NONCE)))
  })

  it('is refused on another host, whatever its proxy says', async () => {
    for (const host of [A, AUTH, 'evil.example.com', '', `${A}, ${B}`]) {
      const { land, nonce } = await leaveAndReturn()
      const answer = await landOn(land, nonce, { host })
      expect([answer.status, codeOf(answer)]).toEqual([403, 'PST-1032'])
      givesNoSession(answer)
      givesNoSession(await landOn(land, nonce))
    }
  })

  it('is refused on another port', async () => {
    const refused = await leaveAndReturn()
    const answer = await landOn(refused.land, refused.nonce, { host: `${B}:8443` })
    expect([answer.status, codeOf(answer)]).toEqual([403, 'PST-1032'])
    givesNoSession(answer)
    const good = await leaveAndReturn()
    expect(setCookie(await landOn(good.land, good.nonce, { host: `${B}:443` }), NAME)).toBeDefined()
  })

  it('brings no session back that was revoked, or ended, on the way', async () => {
    const session = liveSession()
    const { land, nonce } = await leaveAndReturn(`https://${B}/`, session)
    world.revoked.add(session.id)
    const answer = await landOn(land, nonce)
    expect([answer.status, codeOf(answer)]).toEqual([403, 'PST-1033'])
    givesNoSession(answer)
    const short = await leaveAndReturn(
      `https://${B}/`,
      liveSession({ expiresAtSeconds: Math.floor(Date.now() / 1000) + 10 }),
    )
    world.turns.aheadSeconds = 20
    const ended = await landOn(short.land, short.nonce)
    expect(codeOf(ended)).toBe('PST-1033')
    givesNoSession(ended)
  })

  it('leads nowhere that a route no longer lists', async () => {
    const { land, nonce } = await leaveAndReturn()
    world.turns.routeHosts = [A]
    const answer = await landOn(land, nonce)
    expect(codeOf(answer)).toBe('PST-1032')
    givesNoSession(answer)
  })

  it('is for navigations: an image uses no ticket up', async () => {
    const { land, nonce } = await leaveAndReturn()
    for (const headers of [
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    ]) {
      const answer = await landOn(land, nonce, { headers })
      // A 401 says how to come in (RFC 9110 §15.5.2).
      expect([answer.status, headerOf(answer, 'www-authenticate')]).toEqual([401, 'Session realm="postern"'])
      givesNoSession(answer)
    }
    for (const method of ['POST', 'HEAD']) expect((await landOn(land, nonce, { method })).status).toBe(405)
    expect(setCookie(await landOn(land, nonce), NAME)).toBeDefined()
  })

  it('is 503, and clears nothing, while the state is out of reach', async () => {
    const { land, nonce } = await leaveAndReturn()
    world.turns.state = 'down'
    const answer = await landOn(land, nonce)
    expect([answer.status, codeOf(answer)]).toEqual([503, 'PST-1013'])
    expect(answer.headers.filter(([name]) => name === 'set-cookie')).toEqual([])
  })

  it('gives no session for a ticket that was changed in any way', async () => {
    const { land, nonce } = await leaveAndReturn()
    const ticket = land.searchParams.get('ticket') ?? ''
    const anyTicket = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.base64String(),
      fc
        .nat(ticket.length)
        .chain((at) => fc.string({ maxLength: 3 }).map((text) => ticket.slice(0, at) + text)),
      fc
        .tuple(fc.nat(ticket.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, one]) => ticket.slice(0, at) + one + ticket.slice(at + 1)),
      fc.constantFrom(ticket.toLowerCase(), ` ${ticket}`, `${ticket}=`, `${ticket}\0`, ticket + ticket),
    )
    await fc.assert(
      fc.asyncProperty(anyTicket, async (changed) => {
        fc.pre(changed !== ticket)
        const target = `/postern/land?ticket=${encodeURIComponent(changed.toWellFormed())}`
        const answer = await world.ask({ host: B, target, cookies: { [NONCE]: nonce } })
        expect(codeOf(answer)).toBe('PST-1030')
        givesNoSession(answer)
      }),
    )
    const twice = await world.ask({
      host: B,
      target: `/postern/land?ticket=${ticket}&ticket=${ticket}`,
      cookies: { [NONCE]: nonce },
    })
    givesNoSession(twice)
    expect(setCookie(await landOn(land, nonce), NAME)).toBeDefined()
  })
})

describe('renewing on the host of an application', () => {
  it('takes and gives the cookie of that host, and of no other', async () => {
    const session = liveSession()
    const renewed = await world.ask({
      host: B,
      target: '/postern/renew',
      cookies: { [NAME]: world.cookieOf(B, session) },
    })
    expect(renewed.status).toBe(200)
    const value = setCookie(renewed, NAME)
    expect([world.opened(B, value)?.id, world.opened(A, value), world.opened(AUTH, value)]).toEqual([
      session.id,
      undefined,
      undefined,
    ])
    // Whoever has the cookie of one host and names another, or one that no route lists, gets nothing.
    for (const [from, host] of [
      [A, B],
      [AUTH, B],
      [B, A],
      [B, AUTH],
      [AUTH, AUTH],
      ['evil.example.com', 'evil.example.com'],
    ] as const) {
      const refused = await world.ask({
        host,
        target: '/postern/renew',
        cookies: { [NAME]: world.cookieOf(from, session) },
      })
      expect([refused.status, setCookie(refused, NAME)]).toEqual([401, undefined])
    }
  })
})
