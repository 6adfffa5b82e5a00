// Bearer tokens of a real issuer over HTTP at a whole service: who gets in, and what an outage of the keys does.
import { afterEach, describe, expect, it } from 'vitest'
import { KEY_TIMES } from '../../src/identity/issuer-keys.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'
import {
  askForward,
  askNginx,
  headerOf,
  readiness,
  startService,
  totalOf,
  until,
  untilReady,
} from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'
import {
  KEYS_PATH,
  makeKeyPair,
  startTokenIssuer,
  type MintOptions,
  type Misbehaviour,
  type TokenClaims,
  type TokenIssuer,
} from '../support/token-issuer.ts'

const APP = 'https://app.example.com'
const AUDIENCE = 'postern-test'
const POLICIES = {
  'app.yaml': `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
accepts: [session, bearer]
sections:
- path: /
  allow: [{id: robots, clients: ["ci|robot"]}, {id: people, groups: [dev]}]
- path: /open
  allow: [{id: open, anyone: true, why: "open by contract", review: 2099-01-01}]
- path: /sessions
  accepts: [session]
  allow: [{id: dev, groups: [dev]}]
`,
}

/** A token of the client that the policy names. */
const mint = (issuer: TokenIssuer, claims: TokenClaims = {}, options: MintOptions = {}): Promise<string> =>
  issuer.mint({ client_id: 'robot', ...claims }, options)

interface World {
  readonly issuer: TokenIssuer
  readonly service: ServiceFolder
  /** Moves the wall clock of the service. */
  readonly clock: { aheadMs: number }
}

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const makeWorld = async (misbehaviour: Misbehaviour = 'none'): Promise<World> => {
  const issuer = await startTokenIssuer({ audience: AUDIENCE })
  ending.push(issuer.close)
  issuer.misbehave(misbehaviour)
  const { issuer: name, jwksUri } = issuer
  const service = await makeServiceFolder({
    policies: POLICIES,
    settings: {
      issuers: [{ id: 'ci', issuer: name, jwksUri, audience: AUDIENCE }],
    },
  })
  ending.push(service.remove)
  const clock = { aheadMs: 0 }
  const postern = await startService(service, { nowMs: () => Date.now() + clock.aheadMs })
  ending.push(() => postern.close())
  return { issuer, service, clock }
}

const keysLoaded = (world: World): Promise<unknown> =>
  untilReady(world.service, 'issuer-ci', /^ok: keys confirmed/)

const status = async (world: World, bearer: string, path = '/x'): Promise<number> =>
  (await askNginx(world.service, APP + path, { bearer })).status

describe('a token of a configured issuer', () => {
  it('lets its machine in, and is emptied on the way to the application', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const bearer = await mint(world.issuer)
    const answer = await askNginx(world.service, `${APP}/x`, { bearer })
    expect(answer.status).toBe(200)
    expect(headerOf(answer, 'x-auth-request-user')).toBe('ci|robot')
    expect(headerOf(answer, 'authorization')).toBe('')
    expect(await status(world, await mint(world.issuer, { sub: 'other', client_id: 'other' }))).toBe(403)
  })

  it('answers alone: a session beside it is not read', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const cookie = world.service.cookie('ada', ['dev'])
    const bearer = await mint(world.issuer, { sub: 'other', client_id: 'other' })
    expect((await askNginx(world.service, `${APP}/x`, { cookie })).status).toBe(200)
    expect((await askNginx(world.service, `${APP}/x`, { cookie, bearer })).status).toBe(403)
  })

  it.each<readonly [string, (issuer: TokenIssuer) => Promise<string>]>([
    ['has expired', (issuer) => mint(issuer, { exp: Math.floor(Date.now() / 1000) - 61 })],
    ['has no expiry', (issuer) => mint(issuer, { exp: undefined })],
    ['is of another algorithm', (issuer) => mint(issuer, {}, { key: makeKeyPair('ES512') })],
    ['is signed by a key that is not published', (issuer) => mint(issuer, {}, { key: makeKeyPair() })],
    ['is an ID token by its type', (issuer) => mint(issuer, {}, { header: { typ: 'logout+jwt' } })],
  ])('is 401 where it %s, and a session beside it does not help', async (_, make) => {
    const world = await makeWorld()
    await keysLoaded(world)
    const bearer = await make(world.issuer)
    const cookie = world.service.cookie('ada', ['dev'])
    const answer = await askNginx(world.service, `${APP}/x`, { bearer, cookie })
    expect(answer.status).toBe(401)
    expect(headerOf(answer, 'www-authenticate')).toContain('invalid_token')
    const open = await askNginx(world.service, `${APP}/open`, { bearer, cookie })
    expect([open.status, headerOf(open, 'x-auth-request-user'), headerOf(open, 'authorization')]).toEqual([
      200,
      '',
      '',
    ])
  })

  it.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ['for another audience', { aud: 'somebody-else' }],
    ['of another issuer', { iss: 'https://elsewhere.example.com' }],
  ])('is foreign where it is %s: 401 alone, echoed beside a session that counts', async (_, claims) => {
    const world = await makeWorld()
    await keysLoaded(world)
    const bearer = await mint(world.issuer, claims)
    expect(await status(world, bearer)).toBe(401)
    const cookie = world.service.cookie('ada', ['dev'])
    const answer = await askNginx(world.service, `${APP}/x`, { bearer, cookie })
    expect([
      answer.status,
      headerOf(answer, 'x-auth-request-user'),
      headerOf(answer, 'authorization'),
    ]).toEqual([200, 'corp|ada', `Bearer ${bearer}`])
  })

  it('is foreign in a section that accepts sessions only', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const bearer = await mint(world.issuer)
    expect(await status(world, bearer, '/sessions')).toBe(401)
    const cookie = world.service.cookie('ada', ['dev'])
    const answer = await askNginx(world.service, `${APP}/sessions`, { bearer, cookie })
    expect([answer.status, headerOf(answer, 'authorization')]).toEqual([200, `Bearer ${bearer}`])
  })

  it('is refused when two of them are ours', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const bearer = await mint(world.issuer)
    const headers = [['Proxy-Authorization', `Bearer ${bearer}`]] as const
    expect((await askNginx(world.service, `${APP}/x`, { bearer, headers })).status).toBe(403)
    expect((await askNginx(world.service, `${APP}/x`, { headers })).status).toBe(200)
  })
})

describe('keys that were never loaded', () => {
  it.each<Misbehaviour>(['status-500', 'garbage', 'html', 'not-a-set', 'redirect', 'reset'])(
    'are an outage and no access (%s), and the service is ready all the same',
    async (how) => {
      const world = await makeWorld(how)
      await untilReady(world.service, 'issuer-ci', /^degraded: keys not loaded yet; /)
      const bearer = await mint(world.issuer)
      expect(await status(world, bearer)).toBe(503)
      const forward = await askForward(world.service, `${APP}/x`, { bearer })
      expect(forward.status).toBe(503)
      expect(Number(headerOf(forward, 'retry-after'))).toBeGreaterThan(0)
      expect((await readiness(world.service)).status).toBe(200)
      expect((await readiness(world.service)).text).not.toContain('planted-secret')
    },
  )

  it('never let anybody in, and load by themselves when the issuer is back', async () => {
    const world = await makeWorld('status-500')
    await untilReady(world.service, 'issuer-ci', /^degraded/)
    const bearer = await mint(world.issuer)
    const cookie = world.service.cookie('ada', ['dev'])
    const refused = await askNginx(world.service, `${APP}/x`, { bearer, cookie })
    expect(refused.status).toBe(503)
    expect(refused.headers.has('set-cookie')).toBe(false)
    world.issuer.misbehave('none')
    await keysLoaded(world)
    expect(await status(world, bearer)).toBe(200)
  })
})

describe('keys that were loaded', () => {
  it('serve on when their issuer goes down, and an unknown key is 401', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    world.issuer.misbehave('status-500')
    expect(await status(world, await mint(world.issuer))).toBe(200)
    const unknown = await mint(world.issuer, {}, { key: makeKeyPair() })
    expect(await status(world, unknown)).toBe(401)
  })

  it('are asked for once, however many tokens name unknown keys', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const before = world.issuer.hits(KEYS_PATH)
    const tokens = await Promise.all(
      Array.from({ length: 30 }, () => mint(world.issuer, {}, { key: makeKeyPair() })),
    )
    const statuses = await Promise.all(tokens.map((token) => status(world, token)))
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect(world.issuer.hits(KEYS_PATH) - before).toBeLessThanOrEqual(1)
    expect(KEY_TIMES.cooldownMs).toBeGreaterThan(10_000)
  })
})

describe('a revocation', () => {
  it('by subject ends its tokens at once, cached decisions included, and spares others', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const bearer = await mint(world.issuer)
    const other = await mint(world.issuer, { sub: 'other', client_id: 'other' })
    expect([await status(world, bearer), await status(world, bearer)]).toEqual([200, 200])
    expect(await totalOf(world.service, 'postern_cache_entries')).toBe(1)
    const revoked = await revoke(world.service, { subject: 'robot', source: 'ci' })
    expect(revoked).toMatchObject({ durable: true })
    expect(await status(world, bearer)).toBe(401)
    expect(await status(world, other)).toBe(403)
    // What is issued a minute and more later is another credential (clocks differ by less).
    const later = Math.floor(Date.now() / 1000) + 120
    world.clock.aheadMs = 120_000
    expect(await status(world, await mint(world.issuer, { iat: later, exp: later + 300 }))).toBe(200)
  })

  it('by id ends one token', async () => {
    const world = await makeWorld()
    await keysLoaded(world)
    const [one, two] = [await mint(world.issuer, { jti: 'one' }), await mint(world.issuer, { jti: 'two' })]
    expect([await status(world, one), await status(world, two)]).toEqual([200, 200])
    await revoke(world.service, { id: 'ci|one' })
    expect([await status(world, one), await status(world, two)]).toEqual([401, 200])
  })
})

const revoke = async (service: ServiceFolder, body: unknown): Promise<unknown> => {
  const answer = await sendRaw(
    service.ports.admin,
    requestText(
      'POST',
      '/admin/v1/sessions/revoke',
      [
        ['Authorization', `Bearer ${service.adminToken}`],
        ['Content-Type', 'application/json'],
        ['Content-Length', String(JSON.stringify(body).length)],
      ],
      JSON.stringify(body),
    ),
  )
  expect(answer.status).toBe(200)
  return JSON.parse(answer.body)
}

describe('rotation', () => {
  it('a new key is fetched for the first token that names it, and a withdrawn one is gone', async () => {
    // The clock that spaces fetches is the machine's own: only a service that starts anew may fetch at once.
    const world = await makeWorld('status-500')
    await untilReady(world.service, 'issuer-ci', /^degraded/)
    const withdrawn = await mint(world.issuer)
    world.issuer.rotate()
    world.issuer.misbehave('none')
    const current = await mint(world.issuer)
    expect(
      await until(
        () => status(world, current),
        (answered) => answered !== 503,
      ),
    ).toBe(200)
    expect(await status(world, withdrawn)).toBe(401)
  })
})
