import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeAuthenticate } from '../../../src/identity/authenticate.ts'
import { makeReadBearer } from '../../../src/identity/bearer-jwt.ts'
import type { Carried } from '../../../src/identity/carried.ts'
import { makeIssuerKeys, type IssuerKeys } from '../../../src/identity/issuer-keys.ts'
import { makeSeal, SEAL_KEY_BYTES } from '../../../src/identity/seal.ts'
import { makeVerifySession } from '../../../src/identity/session-credential.ts'
import { sealSession } from '../../../src/identity/session-seal.ts'
import type { Authenticate, Verified } from '../../../src/identity/verified.ts'
import { startTokenIssuer, type TokenIssuer } from '../../support/token-issuer.ts'
import { acceptanceOf, carriedOf, issuerOf, providerOf } from './acceptance-fixture.ts'
import { makeKeyClock } from './key-clock.ts'
import { aliceSession, NOW_SECONDS } from './session-fixture.ts'

const NAME = '__Secure-postern'
const seal = makeSeal({ keys: [randomBytes(SEAL_KEY_BYTES)], purpose: 'session' })
const sealing = sealSession(seal, aliceSession(), { name: NAME, boundTo: 'example.com' })
const cookies = [`${NAME}=${sealing.kind === 'sealed' ? sealing.value : ''}`]

let issuer: TokenIssuer
let keys: IssuerKeys
let good = ''
let bad = ''
let authenticate: Authenticate

beforeAll(async () => {
  issuer = await startTokenIssuer({ nowSeconds: () => NOW_SECONDS })
  keys = makeIssuerKeys({ issuer: issuer.issuer, jwksUri: undefined }, makeKeyClock().ports)
  good = `Bearer ${await issuer.mint()}`
  bad = `Bearer ${await issuer.mint({ exp: NOW_SECONDS - 900 })}`
  authenticate = makeAuthenticate({
    findSession: makeVerifySession(
      {
        seal,
        bindingFor: () => ({ name: NAME, boundTo: 'example.com' }),
        providers: [providerOf()],
        idleSeconds: 3600,
        processStartSeconds: NOW_SECONDS,
        freshnessSeconds: 600,
      },
      {
        checkRevocation: () => 'live',
        lastUse: () => undefined,
        groupsRevision: () => 'r',
        learned: () => undefined,
      },
    ),
    readBearer: makeReadBearer({
      issuers: [issuerOf({ issuer: issuer.issuer })],
      keysOf: () => keys,
      checkRevocation: () => 'live',
    }),
  })
})

afterAll(() => issuer.close())

const verify = async (
  carried: Partial<Carried>,
  acceptance = acceptanceOf(),
): Promise<Verified & { readonly who: string }> => {
  const verified = await authenticate(carriedOf(carried), acceptance)
  const { authentication } = verified
  if (authentication.kind === 'verified') return { ...verified, who: authentication.principal.subject }
  const reason = authentication.kind === 'rejected' ? authentication.reason : authentication.kind
  return { ...verified, who: reason }
}

describe('a session alone', () => {
  test('answers without waiting', () => {
    expect(authenticate(carriedOf({ cookies }), acceptanceOf())).not.toBeInstanceOf(Promise)
    expect(authenticate(carriedOf(), acceptanceOf())).not.toBeInstanceOf(Promise)
  })

  test('counts where the section accepts sessions, and nowhere else', async () => {
    expect(await verify({ cookies })).toMatchObject({ who: 'alice-sub', consumed: 'cookie' })
    expect(await verify({ cookies }, acceptanceOf({ accepts: ['bearer'] }))).toMatchObject({
      who: 'anonymous',
      consumed: 'none',
      revocable: undefined,
    })
  })

  test('says what a revocation may name', async () => {
    expect((await verify({ cookies })).revocable).toMatchObject({ id: aliceSession().id, number: 3 })
    expect((await verify({})).revocable).toBeUndefined()
  })
})

describe('an `Authorization` of ours', () => {
  test('answers alone, with its own claims; the cookie is not read', async () => {
    expect(await verify({ authorization: good, cookies })).toMatchObject({
      who: 'robot',
      consumed: 'authorization',
      foreignAuthorization: false,
    })
  })

  test('that is no good is refused, and the cookie does not save it', async () => {
    expect(await verify({ authorization: bad, cookies })).toMatchObject({
      who: 'DENY_CRED_INVALID',
      consumed: 'authorization',
      foreignAuthorization: false,
      revocable: undefined,
    })
  })

  test('may come as `Proxy-Authorization`, beside a foreign `Authorization`', async () => {
    expect(await verify({ proxyAuthorization: good })).toMatchObject({
      who: 'robot',
      consumed: 'proxy-authorization',
      foreignAuthorization: false,
    })
    expect(await verify({ proxyAuthorization: good, authorization: 'Basic eDp5' })).toMatchObject({
      who: 'robot',
      foreignAuthorization: true,
    })
  })

  test('beside another of ours is refused, good or not', async () => {
    for (const proxyAuthorization of [good, bad]) {
      for (const authorization of [good, bad]) {
        expect(await verify({ authorization, proxyAuthorization, cookies })).toMatchObject({
          who: 'ambiguous',
          note: 'two-credentials',
        })
      }
    }
  })

  test.each([
    ['bearer', true],
    ['BEARER', true],
    ['Basic', false],
    ['Bearer ', false],
    ['Token', false],
    ['JWT', false],
    [' Bearer', false],
    ['Bearer\u00a0', false],
  ])('has the scheme `%s`: %s', async (scheme, isOurs) => {
    const authorization = `${scheme} ${good.slice('Bearer '.length)}`
    expect((await verify({ authorization })).consumed).toBe(isOurs ? 'authorization' : 'none')
  })

  test('is not ours where the section does not accept it', async () => {
    const sessionsOnly = acceptanceOf({ accepts: ['session'] })
    expect(await verify({ authorization: good, cookies }, sessionsOnly)).toMatchObject({
      who: 'alice-sub',
      consumed: 'cookie',
      foreignAuthorization: true,
    })
    expect(await verify({ authorization: good }, sessionsOnly)).toMatchObject({
      who: 'DENY_CRED_KIND',
      consumed: 'none',
      foreignAuthorization: true,
    })
  })
})

describe('a foreign `Authorization`', () => {
  test('gives no identity, is handed on, and the cookie counts', async () => {
    for (const authorization of [
      'Bearer bad',
      'Basic dXNlcjpwYXNz',
      'Negotiate x',
      'Bearer pst_a_b',
      '',
      'Bearer',
    ]) {
      expect(await verify({ authorization, cookies })).toMatchObject({
        who: 'alice-sub',
        consumed: 'cookie',
        foreignAuthorization: true,
      })
    }
  })

  test('that is a bearer token is called invalid only where nothing else says who calls', async () => {
    expect(await verify({ authorization: 'Bearer bad' })).toMatchObject({
      authentication: { kind: 'rejected', credential: 'bearer', reason: 'DENY_CRED_INVALID' },
      consumed: 'none',
      foreignAuthorization: true,
    })
    expect(await verify({ authorization: 'Bearer bad', cookies: [`${NAME}=garbage`] })).toMatchObject({
      who: 'DENY_CRED_INVALID',
    })
  })

  test('that is Basic is nobody', async () => {
    expect(await verify({ authorization: 'Basic dXNlcjpwYXNz' })).toMatchObject({
      who: 'anonymous',
      foreignAuthorization: true,
    })
  })

  test('for another audience is told so in the log', async () => {
    const authorization = `Bearer ${await issuer.mint({ aud: 'other' })}`
    expect(await verify({ authorization })).toMatchObject({
      who: 'DENY_WRONG_AUDIENCE',
      foreignAuthorization: true,
    })
    expect(await verify({ authorization, cookies })).toMatchObject({ who: 'alice-sub' })
  })
})

describe('an API key header', () => {
  test('gives no identity where no API key is accepted', async () => {
    expect(await verify({ apiKey: 'pst_ci_planted-secret' })).toMatchObject({
      who: 'anonymous',
      consumed: 'none',
    })
    expect(await verify({ apiKey: 'pst_ci_planted-secret', cookies })).toMatchObject({ who: 'alice-sub' })
  })
})
