import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  makeAssertionSigner,
  type Assertion,
  type AssertionSettings,
  type AssertionSigner,
} from '../../../src/identity/assertion.ts'
import type { Principal } from '../../../src/policy/principal.ts'
import { NOW_SECONDS } from './session-fixture.ts'

const pem = (pair: {
  privateKey: { export: (how: { type: 'pkcs8'; format: 'pem' }) => string | Buffer }
}): string => pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const ec = (): string => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const key = ec()

let nowSeconds = NOW_SECONDS
beforeEach(() => {
  nowSeconds = NOW_SECONDS
})

const settingsOf = (changes: Partial<AssertionSettings> = {}): AssertionSettings => ({
  key,
  alg: 'ES256',
  issuer: 'https://auth.example.com',
  lifetimeSeconds: 300,
  retired: [],
  nowSeconds: () => nowSeconds,
  bytesMax: 1 << 20,
  ...changes,
})

const signerOf = async (changes?: Partial<AssertionSettings>): Promise<AssertionSigner> => {
  const signing = await makeAssertionSigner(settingsOf(changes))
  if (signing.kind === 'refused') throw new Error(signing.why)
  return signing.signer
}

const callerOf = (subject: string, changes: Partial<Principal> = {}): Principal => ({
  kind: 'person',
  credential: 'session',
  source: 'corp',
  subject,
  client: undefined,
  claims: new Map<string, string | string[]>([
    ['email', `${subject}@example.com`],
    ['groups', ['dev', `team-${subject}`]],
  ]),
  assertable: new Set(['email', 'groups']),
  captured: 'every',
  cut: new Set(),
  groupsComplete: true,
  emailVerified: true,
  amr: [],
  acr: undefined,
  authTimeSeconds: undefined,
  multiFactor: false,
  multiFactorAcr: [],
  stepUp: undefined,
  sessionId: undefined,
  expiresAtSeconds: undefined,
  ...changes,
})

const assert = async (signer: AssertionSigner, caller: Principal, route = 'grafana'): Promise<Assertion> => {
  const assertion = await signer.assert(caller, route, caller.subject)
  if (assertion === undefined) throw new Error('not signed')
  return assertion
}

const read = async (signer: AssertionSigner, token: string, audience = 'grafana') =>
  jwtVerify(token, createLocalJWKSet({ keys: [...signer.jwks().keys] }), {
    issuer: 'https://auth.example.com',
    audience,
    currentDate: new Date(nowSeconds * 1000),
  })

describe('an assertion', () => {
  test('says who calls, to one route, and is checked with the published keys', async () => {
    const signer = await signerOf()
    const { token, renewAtSeconds } = await assert(signer, callerOf('alice'))
    const { payload, protectedHeader } = await read(signer, token)
    expect(payload).toMatchObject({
      sub: 'alice',
      email: 'alice@example.com',
      groups: ['dev', 'team-alice'],
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
      jti: expect.any(String),
    })
    expect(protectedHeader.kid).toBe(signer.jwks().keys[0]?.kid)
    expect(renewAtSeconds).toBe(NOW_SECONDS + 150)
    await expect(read(signer, token, 'argocd')).rejects.toThrow(/"aud"/)
  })

  test('is signed by each algorithm that can be configured', async () => {
    const keys = {
      ES384: pem(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
      RS256: pem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
      PS256: pem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
      EdDSA: pem(generateKeyPairSync('ed25519')),
    } as const
    for (const alg of ['ES384', 'RS256', 'PS256', 'EdDSA'] as const) {
      const signer = await signerOf({ alg, key: keys[alg] })
      const { protectedHeader } = await read(signer, (await assert(signer, callerOf('alice'))).token)
      expect(protectedHeader.alg).toBe(alg)
    }
  })

  test('is handed out again until half its life is over', async () => {
    const signer = await signerOf()
    const first = await assert(signer, callerOf('alice'))
    nowSeconds += 149
    expect(signer.assert(callerOf('alice'), 'grafana', 'alice')).toEqual(first)
    nowSeconds += 1
    const second = await assert(signer, callerOf('alice'))
    expect(second.token).not.toBe(first.token)
    expect((await read(signer, second.token)).payload.iat).toBe(NOW_SECONDS + 150)
  })

  test('lives five minutes at most', async () => {
    const signer = await signerOf({ lifetimeSeconds: 3600 })
    const { token } = await assert(signer, callerOf('alice'))
    expect((await read(signer, token)).payload.exp).toBe(NOW_SECONDS + 300)
  })

  test('is signed once for many requests at once', async () => {
    const signer = await signerOf()
    const found = await Promise.all(Array.from({ length: 20 }, () => assert(signer, callerOf('alice'))))
    expect(new Set(found.map((one) => one.token)).size).toBe(1)
  })

  test('never speaks of another caller, other groups or another route, however requests interleave', async () => {
    const signer = await signerOf({ bytesMax: 5_000 })
    const rounds = Array.from({ length: 200 }, (_, index) => ({
      caller: callerOf(
        `user-${(index * 7) % 4}`,
        index % 3 === 0 ? { claims: new Map([['groups', ['admins']]]) } : {},
      ),
      route: index % 2 === 0 ? 'grafana' : 'argocd',
      name: `user-${(index * 7) % 4}`,
      isAdmin: index % 3 === 0,
    }))
    const found = await Promise.all(rounds.map(({ caller, route }) => assert(signer, caller, route)))
    for (const [index, { route, name, isAdmin }] of rounds.entries()) {
      const { payload } = await read(signer, found[index]?.token ?? '', route)
      expect(payload.sub).toBe(name)
      expect(payload['groups']).toEqual(isAdmin ? ['admins'] : ['dev', `team-${name}`])
    }
  })

  test.each<[string, Partial<Principal>]>([
    ['a policy names more than the session holds', { groupsComplete: false }],
    ['some were left out of the session', { groupsTrimmed: true }],
    ['the claim was cut', { cut: new Set(['groups']) }],
    [
      'there are too many',
      { claims: new Map([['groups', Array.from({ length: 200 }, (_, n) => `group-${n}`)]]) },
    ],
  ])('has no groups rather than a part of them: %s', async (_, changes) => {
    const signer = await signerOf()
    const { token } = await assert(signer, callerOf('alice', changes))
    expect((await read(signer, token)).payload).not.toHaveProperty('groups')
    expect(token.length).toBeLessThan(2500)
  })
})

describe('the published keys', () => {
  test('hold nothing private, and name one key alike everywhere', async () => {
    const keys = [(await signerOf()).jwks(), (await signerOf()).jwks()]
    expect(keys[0]).toEqual(keys[1])
    expect(keys[0]?.keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.any(String),
        alg: 'ES256',
        use: 'sig',
      },
    ])
  })

  test('keep a retired key, so that what it signed can still be checked', async () => {
    const before = await signerOf()
    const { token } = await assert(before, callerOf('alice'))
    const after = await signerOf({ key: ec(), retired: [{ key, alg: 'ES256' }] })
    expect((await read(after, token)).payload.sub).toBe('alice')
    expect(after.jwks().keys).toHaveLength(2)
    expect(JSON.stringify(after.jwks())).not.toContain('"d"')
    await expect(read(await signerOf({ key: ec() }), token)).rejects.toThrow(/no applicable key/)
    expect((await signerOf({ retired: [{ key, alg: 'ES256' }] })).jwks().keys).toHaveLength(1)
  })
})

describe('a signing key that does not fit', () => {
  test.each<[string, Partial<AssertionSettings>]>([
    ['no PEM', { key: 'planted-secret' }],
    ['another curve', { key: pem(generateKeyPairSync('ec', { namedCurve: 'P-384' })) }],
    ['another kind', { alg: 'RS256' }],
    ['a short RSA key', { alg: 'RS256', key: pem(generateKeyPairSync('rsa', { modulusLength: 1024 })) }],
    ['a retired key that is none', { retired: [{ key: 'planted-secret', alg: 'ES256' }] }],
  ])('(%s) is refused at start, and not shown', async (_, changes) => {
    const signing = await makeAssertionSigner(settingsOf(changes))
    expect(signing).toMatchObject({ kind: 'refused', why: expect.stringMatching(/openssl genpkey/) })
    expect(JSON.stringify(signing)).not.toContain('planted-secret')
  })
})
