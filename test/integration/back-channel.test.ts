// A provider ends sessions server to server: every check of OIDC Back-Channel Logout 1.0 §2.6, over real sockets, each
// refusal beside the token that differs in nothing else and is taken.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { askNginx, until } from '../support/running-service.ts'
import {
  APP,
  cookieOf,
  eventsOf,
  makeWorld,
  providerSettings,
  signedIn,
  type World,
} from '../support/sign-in-world.ts'
import type { Browser } from '../unit/signin/browser.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const now = (): number => Math.floor(Date.now() / 1000)

type Claims = Readonly<Record<string, unknown>>

/** As a provider sends it; `undefined` takes a claim away. */
const claimsOf = (world: World, changes: Claims = {}): Record<string, unknown> => {
  const usual = {
    iss: world.provider.issuer,
    aud: 'postern',
    sub: 'ada',
    iat: now(),
    exp: now() + 120,
    jti: randomUUID(),
    events: { [EVENT]: {} },
  }
  return Object.fromEntries(
    Object.entries({ ...usual, ...changes }).filter(([, value]) => value !== undefined),
  )
}

const post = async (world: World, body: string, type = 'application/x-www-form-urlencoded') => {
  const answer = await fetch(`http://127.0.0.1:${world.service.ports.public}/backchannel-logout`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
  return { status: answer.status, cache: answer.headers.get('cache-control'), text: await answer.text() }
}

const send = async (world: World, token: string) =>
  post(world, new URLSearchParams({ logout_token: token }).toString())

const statusOf = async (world: World, browser: Browser): Promise<number> =>
  (await askNginx(world.service, `${APP}/d/abc`, { cookie: cookieOf(browser) })).status

/** From now on the provider says `sid` in its ID tokens. */
const sidOf = (world: World): string => {
  world.provider.misbehave.idToken = (claims) => ({ ...claims, sid: 'sid-of-ada' })
  return 'sid-of-ada'
}

describe('a logout token', () => {
  it('ends every session of its subject, cached decisions too, and of nobody else; later ones are not touched', async () => {
    const world = await makeWorld()
    const [ada, ben] = [await signedIn(world), await signedIn(world, 'ben')]
    expect([await statusOf(world, ada), await statusOf(world, ben)]).toEqual([200, 403])
    const answer = await send(world, await world.provider.sign(claimsOf(world), { typ: 'logout+jwt' }))
    expect(answer).toEqual({ status: 200, cache: 'no-store', text: '' })
    expect([await statusOf(world, ada), await statusOf(world, ben)]).toEqual([401, 403])
    const lines = await until(
      () => eventsOf(world, 'session.revoke'),
      (all) => all.length === 1,
    )
    expect(lines).toMatchObject([
      { by: 'back-channel', target: { kind: 'subject', source: 'corp', subject: 'ada' }, durable: true },
    ])
    await world.restart()
    expect(await statusOf(world, ada)).toBe(401)
    expect(await statusOf(world, await signedIn(world))).toBe(200)
  })

  it('with a `sid` ends that session of the provider alone', async () => {
    const world = await makeWorld()
    const sid = sidOf(world)
    const ada = await signedIn(world)
    const other = await world.provider.sign(claimsOf(world, { sid: `${sid}-other` }))
    expect((await send(world, other)).status).toBe(200)
    expect(await statusOf(world, ada)).toBe(200)
    const own = await world.provider.sign(claimsOf(world, { sid, sub: undefined }))
    expect((await send(world, own)).status).toBe(200)
    expect(await statusOf(world, ada)).toBe(401)
  })

  it('with `sub` and `sid` ends the sessions of the subject whose ID token had no `sid`, and none that had another', async () => {
    const world = await makeWorld()
    world.provider.misbehave.idToken = (claims) => ({ ...claims, sid: undefined })
    const [unnamed, ben] = [await signedIn(world), await signedIn(world, 'ben')]
    const sid = sidOf(world)
    const named = await signedIn(world)
    const token = await world.provider.sign(claimsOf(world, { sid: `${sid}-other` }))
    expect((await send(world, token)).status).toBe(200)
    const statuses = await Promise.all([unnamed, named, ben].map((browser) => statusOf(world, browser)))
    expect(statuses).toEqual([401, 200, 403])
  })

  it.each([
    ['`sub`', { sub: 'ada' }],
    ['`sid`', { sub: undefined, sid: 's-1' }],
  ])('ends by %s the sessions of every provider that shares issuer and client', async (_, changes) => {
    const world = await makeWorld()
    const one = providerSettings(world.provider.issuer)
    await world.service.configure({
      providers: [
        { ...one, default: true },
        { ...one, id: 'corp-strong', default: true },
      ],
    })
    await world.restart()
    const cookies = ['corp', 'corp-strong'].map((provider) =>
      world.service.cookie('ada', ['sre'], { provider, providerSession: 's-1' }),
    )
    const statuses = async () =>
      Promise.all(
        cookies.map(async (cookie) => (await askNginx(world.service, `${APP}/d/abc`, { cookie })).status),
      )
    expect(await statuses()).toEqual([200, 200])
    expect((await send(world, await world.provider.sign(claimsOf(world, changes)))).status).toBe(200)
    expect(await statuses()).toEqual([401, 401])
    const lines = await until(
      () => eventsOf(world, 'session.revoke'),
      (all) => all.length === 2,
    )
    expect(lines.map(({ target }) => target)).toMatchObject([{ source: 'corp' }, { source: 'corp-strong' }])
  })

  const REFUSED: readonly (readonly [string, Claims, Claims])[] = [
    ['of another audience', { aud: 'grafana' }, {}],
    ['of no audience', { aud: undefined }, {}],
    ['of another issuer', { iss: 'https://idp.example.net' }, {}],
    ['without an event', { events: undefined }, {}],
    ['with an event that is no object', { events: { [EVENT]: 'logout' } }, {}],
    ['with another event', { events: { 'http://schemas.openid.net/event/other': {} } }, {}],
    ['with a list of events', { events: [EVENT] }, {}],
    ['with a nonce', { nonce: 'n-1' }, {}],
    ['with an empty nonce', { nonce: null }, {}],
    ['without `jti`', { jti: undefined }, {}],
    ['with an empty `jti`', { jti: '' }, {}],
    ['without `iat`', { iat: undefined }, {}],
    ['without `exp`', { exp: undefined }, {}],
    ['with an `exp` that is no number', { exp: 'never' }, {}],
    ['that has expired', { iat: now() - 240, exp: now() - 120 }, {}],
    ['of the future', { iat: now() + 600, exp: now() + 900 }, {}],
    ['that is old', { iat: now() - 3_600, exp: now() + 3_600 }, {}],
    ['that names nobody', { sub: undefined }, {}],
    ['whose `sub` is a list', { sub: ['ada'] }, {}],
    ['whose `sid` is a number', { sid: 7 }, {}],
    ['that is an access token by its type', {}, { typ: 'at+jwt' }],
    ['with a critical header', {}, { crit: ['b64'], b64: true }],
  ]

  it.each(REFUSED)('%s is refused, ends nobody and is written down', async (_, changes, header) => {
    const world = await makeWorld()
    const ada = await signedIn(world)
    const token = await world.provider.sign(claimsOf(world, changes), header)
    const answer = await send(world, token)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_request' })
    expect(await statusOf(world, ada)).toBe(200)
    const lines = await until(
      () => eventsOf(world, 'logout'),
      (all) => all.length === 1,
    )
    expect(lines).toMatchObject([{ outcome: 'failed' }])
    expect(JSON.stringify(await world.service.log())).not.toContain(token.slice(0, 40))
    expect((await send(world, await world.provider.sign(claimsOf(world)))).status).toBe(200)
  })

  it('signed by another key, by none, or by a shared secret is refused', async () => {
    const world = await makeWorld()
    const ada = await signedIn(world)
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = await world.provider.sign(claimsOf(world), {}, 'foreign')
    for (const token of [
      forged,
      `${part({ alg: 'none' })}.${part(claimsOf(world))}.`,
      `${part({ alg: 'HS256', kid: 'test' })}.${part(claimsOf(world))}.${part('signature')}`,
    ])
      expect((await send(world, token)).status).toBe(400)
    expect(await statusOf(world, ada)).toBe(200)
  })

  it('is good once: a replay does not end what was begun since', async () => {
    const world = await makeWorld()
    await signedIn(world)
    const token = await world.provider.sign(claimsOf(world))
    expect((await send(world, token)).status).toBe(200)
    await world.restart()
    const again = await signedIn(world)
    expect((await send(world, token)).status).toBe(400)
    expect(await statusOf(world, again)).toBe(200)
  })

  it('an ID token does not pass for one', async () => {
    const world = await makeWorld()
    const ada = await signedIn(world)
    const token = await world.provider.sign(claimsOf(world, { events: undefined, nonce: 'n' }))
    expect((await send(world, token)).status).toBe(400)
    expect(await statusOf(world, ada)).toBe(200)
  })

  it('that cannot be verified while the provider is down may be sent again', async () => {
    const world = await makeWorld()
    const token = await world.provider.sign(claimsOf(world))
    world.provider.misbehave.down = true
    expect((await send(world, token)).status).toBe(503)
    world.provider.misbehave.down = false
    await until(
      () => send(world, token),
      ({ status }) => status === 200,
    )
  })
})

describe('the address of back-channel logout', () => {
  it.each([
    ['no body', ''],
    ['no token', 'other=1'],
    ['garbage', 'logout_token=garbage'],
    ['two tokens', 'logout_token=a&logout_token=b'],
  ])('answers 400 to %s', async (_, body) => {
    const world = await makeWorld()
    expect((await post(world, body)).status).toBe(400)
  })

  it('answers 400 to a token in JSON, 413 to a large body and 405 to GET', async () => {
    const world = await makeWorld()
    const token = await world.provider.sign(claimsOf(world))
    expect((await post(world, JSON.stringify({ logout_token: token }), 'application/json')).status).toBe(400)
    expect((await post(world, `logout_token=${'a'.repeat(20_000)}`)).status).toBe(413)
    const got = await fetch(
      `http://127.0.0.1:${world.service.ports.public}/backchannel-logout?logout_token=${token}`,
    )
    expect(got.status).toBe(405)
  })
})
