import { randomUUID, sign as signBytes, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeReadBearer, type BearerDeps, type BearerFinding } from '../../../src/identity/bearer-jwt.ts'
import { makeIssuerKeys, type IssuerKeys } from '../../../src/identity/issuer-keys.ts'
import type { IssuerSource } from '../../../src/identity/source.ts'
import type { Revocable } from '../../../src/identity/verified.ts'
import { claimState, type Principal } from '../../../src/policy/principal.ts'
import { makeRevocationTable } from '../../../src/state/revocations.ts'
import {
  hmacWith,
  KEYS_PATH,
  makeKeyPair,
  publicJwk,
  rawToken,
  startTokenIssuer,
  type TokenIssuer,
} from '../../support/token-issuer.ts'
import { acceptanceOf, issuerOf } from './acceptance-fixture.ts'
import { makeKeyClock } from './key-clock.ts'
import { NOW_SECONDS } from './session-fixture.ts'

let ci: TokenIssuer
let other: TokenIssuer
let clock: ReturnType<typeof makeKeyClock>
let keys: Map<string, IssuerKeys>

beforeAll(async () => {
  const settings = { nowSeconds: () => NOW_SECONDS }
  ci = await startTokenIssuer(settings)
  other = await startTokenIssuer({ ...settings, audience: 'other-audience' })
})

afterAll(async () => {
  await Promise.all([ci.close(), other.close()])
})

beforeEach(() => {
  ci.misbehave('none')
  clock = makeKeyClock()
  keys = new Map([
    ['ci', makeIssuerKeys({ issuer: ci.issuer, jwksUri: undefined }, clock.ports)],
    ['other', makeIssuerKeys({ issuer: other.issuer, jwksUri: undefined }, clock.ports)],
  ])
})

const sourcesOf = (changes: Partial<IssuerSource> = {}): readonly IssuerSource[] => [
  issuerOf({ issuer: ci.issuer, ...changes }),
  issuerOf({ id: 'other', issuer: other.issuer, audiences: ['other-audience'], isDefault: false }),
]

const readerOf = (changes: Partial<IssuerSource> = {}, deps: Partial<BearerDeps> = {}) =>
  makeReadBearer({
    issuers: sourcesOf(changes),
    keysOf: (id) => keys.get(id),
    checkRevocation: () => 'live',
    ...deps,
  })

/** What becomes of a token: `verified`, or the reason of its refusal, `foreign` in front where it is not ours. */
const outcome = async (token: string, reader = readerOf(), acceptance = acceptanceOf()): Promise<string> => {
  const reading = reader(token, acceptance)
  const { authentication } =
    reading.kind === 'ours' ? await reading.verify() : { authentication: reading.rejected }
  const reason = 'reason' in authentication ? authentication.reason : authentication.kind
  return reading.kind === 'ours' ? reason : `foreign ${reason}`
}

const whyOf = async (token: string, reader = readerOf()): Promise<string> => {
  const reading = reader(token, acceptanceOf())
  const { authentication } =
    reading.kind === 'ours' ? await reading.verify() : { authentication: reading.rejected }
  return 'why' in authentication ? authentication.why : authentication.kind
}

const principalOf = async (token: string, reader = readerOf()): Promise<Principal> => {
  const reading = reader(token, acceptanceOf())
  if (reading.kind === 'foreign') throw new Error('foreign')
  const { authentication } = await reading.verify()
  if (authentication.kind !== 'verified') throw new Error(authentication.kind)
  return authentication.principal
}

const INVALID = 'DENY_CRED_INVALID'
const FOREIGN = 'foreign DENY_CRED_INVALID'

describe('a bearer token', () => {
  test('of a configured issuer, for its audience, says who is calling', async () => {
    const token = await ci.mint({ groups: ['dev'], client_id: 'pipeline', email: 'x@example.com', jti: 'j1' })
    const principal = await principalOf(token)
    expect(principal).toMatchObject({
      kind: 'machine',
      credential: 'bearer',
      source: 'ci',
      subject: 'robot',
      client: 'pipeline',
      captured: 'every',
      emailVerified: false,
      expiresAtSeconds: NOW_SECONDS + 360,
    })
    expect(principal.claims.get('groups')).toEqual(['dev'])
    expect(principal.claims.get('sub')).toBe('robot')
  })

  test('signed in when it says, unless that is to come', async () => {
    const authTimeOf = async (authTime: unknown): Promise<number | undefined> =>
      (await principalOf(await ci.mint({ auth_time: authTime }))).authTimeSeconds
    expect(await authTimeOf(NOW_SECONDS - 3600)).toBe(NOW_SECONDS - 3600)
    expect(await authTimeOf(NOW_SECONDS + 60)).toBe(NOW_SECONDS + 60)
    // A login of tomorrow would be fresh for ever.
    for (const authTime of [NOW_SECONDS + 61, NOW_SECONDS * 1000, String(NOW_SECONDS)])
      expect(await authTimeOf(authTime)).toBeUndefined()
  })

  test('names a person only where its issuer speaks of people', async () => {
    const token = await ci.mint({ email_verified: true })
    expect(await principalOf(token, readerOf({ subjects: 'people' }))).toMatchObject({
      kind: 'person',
      emailVerified: true,
    })
    expect((await principalOf(await ci.mint({ email_verified: 'true' }))).emailVerified).toBe(false)
  })

  test('is verified by each pinned algorithm', async () => {
    const before = ci.keys()
    const pairs = ci.rotate('RS256', 'PS256', 'ES256', 'EdDSA')
    for (const key of pairs) expect(await outcome(await ci.mint({}, { key })), key.alg).toBe('verified')
    ci.publish(before)
  })

  test('that was verified is not waited for again, and is again when the key was replaced', async () => {
    const reader = readerOf()
    const token = await ci.mint()
    const verify = (): BearerFinding | Promise<BearerFinding> => {
      const reading = reader(token, acceptanceOf())
      if (reading.kind === 'foreign') throw new Error('foreign')
      return reading.verify()
    }
    expect(verify()).toBeInstanceOf(Promise)
    await keys.get('ci')?.start()
    await verify()
    expect(verify()).toMatchObject({ authentication: { kind: 'verified' } })
    const before = ci.keys()
    ci.rotate('ES256')
    await keys.get('ci')?.start()
    expect(verify()).toMatchObject({ authentication: { kind: 'rejected' } })
    ci.publish(before)
  })

  test('is refused when another key took the place and name of the one that signed it', async () => {
    const reader = readerOf()
    const token = await ci.mint()
    expect(await outcome(token, reader)).toBe('verified')
    const before = ci.keys()
    ci.publish([makeKeyPair('ES256', before[0]?.kid)])
    await keys.get('ci')?.start()
    expect(await outcome(token, reader)).toBe(INVALID)
    ci.publish(before)
  })

  test('is judged anew at every use: a remembered signature does not outlive `exp`, route or revocation', async () => {
    let verdict: 'live' | 'revoked' | 'unknown' = 'live'
    const reader = readerOf({}, { checkRevocation: () => verdict })
    const token = await ci.mint()
    expect(await outcome(token, reader)).toBe('verified')
    expect(await outcome(token, reader, acceptanceOf({ nowSeconds: NOW_SECONDS + 359 }))).toBe('verified')
    expect(await outcome(token, reader, acceptanceOf({ nowSeconds: NOW_SECONDS + 360 }))).toBe(INVALID)
    expect(await outcome(token, reader, acceptanceOf({ issuers: ['other'] }))).toBe(
      'foreign DENY_WRONG_ISSUER',
    )
    verdict = 'revoked'
    expect(await outcome(token, reader)).toBe('DENY_CRED_REVOKED')
    verdict = 'unknown'
    expect(await outcome(token, reader)).toBe('ERROR_STATE')
  })
})

describe('the algorithm', () => {
  const claims = (): string =>
    JSON.stringify({ iss: ci.issuer, aud: 'postern-test', sub: 'root', exp: NOW_SECONDS + 60 })
  const header = (changes: Record<string, unknown>): string =>
    JSON.stringify({ kid: ci.keys()[0]?.kid, typ: 'JWT', ...changes })

  test.each(['none', 'NoNe', 'NONE', '', 'HS256', 'HS512', 'dir', 'RSA-OAEP', '__proto__'])(
    '`%s` is refused',
    async (alg) => {
      for (const sign of [() => Buffer.of(), () => Buffer.from('x'), hmacWith('secret')]) {
        expect(await outcome(rawToken(header({ alg }), claims(), sign))).toBe(INVALID)
      }
    },
  )

  test.each([undefined, null, 7, ['ES256'], { alg: 'ES256' }])(
    'of another type (%s) is refused',
    async (alg) => {
      expect(await outcome(rawToken(header({ alg }), claims(), () => Buffer.from('x')))).toBe(INVALID)
    },
  )

  test('HS256 with the public key as secret is refused, however the key is spelled, configured or not', async () => {
    const before = ci.keys()
    const [pair] = ci.rotate('RS256')
    if (pair === undefined) throw new Error('no key')
    const secrets = [
      pair.publicKey.export({ type: 'spki', format: 'pem' }),
      pair.publicKey.export({ type: 'spki', format: 'der' }),
      pair.publicKey.export({ type: 'pkcs1', format: 'pem' }),
      JSON.stringify(publicJwk(pair)),
      JSON.stringify(pair.publicKey.export({ format: 'jwk' })),
    ]
    const careless = readerOf({ algorithms: ['RS256', 'HS256', 'none'] })
    for (const secret of secrets) {
      const token = rawToken(header({ alg: 'HS256', kid: pair.kid }), claims(), hmacWith(secret))
      expect(await outcome(token)).toBe(INVALID)
      expect(await outcome(token, careless)).toBe(INVALID)
    }
    expect(await outcome(await ci.mint(), careless)).toBe('verified')
    ci.publish(before)
  })

  test('must be one that is configured', async () => {
    const token = await ci.mint()
    expect(await outcome(token, readerOf({ algorithms: ['RS256'] }))).toBe(INVALID)
    expect(await outcome(token, readerOf({ algorithms: ['ES256'] }))).toBe('verified')
  })
})

describe('the key', () => {
  test.each(['../../dev/null', 'x'.repeat(2000), "' OR 1=1 --", 'constructor', ''])(
    'is not chosen by a strange `kid` (%s), which costs one fetch in a cool-down',
    async (kid) => {
      const attacker = makeKeyPair()
      await keys.get('ci')?.start()
      clock.advance(30_000)
      const before = ci.hits(KEYS_PATH)
      for (let index = 0; index < 5; index += 1) {
        expect(await outcome(await ci.mint({}, { key: attacker, header: { kid } }))).toBe(INVALID)
      }
      expect(ci.hits(KEYS_PATH)).toBe(before + 1)
    },
  )

  test('is not chosen by a `kid` that is no text', async () => {
    const header = JSON.stringify({ alg: 'ES256', kid: 7, typ: 'JWT' })
    const payload = JSON.stringify({ iss: ci.issuer, aud: 'postern-test', sub: 'a', exp: NOW_SECONDS + 9 })
    expect(await outcome(rawToken(header, payload, () => Buffer.from('x')))).toBe(INVALID)
  })

  test('never comes from the header, nor from where the header points', async () => {
    const attacker = makeKeyPair('ES256', ci.keys()[0]?.kid)
    await keys.get('ci')?.start()
    const before = [ci.hits('/elsewhere'), other.hits(KEYS_PATH)]
    const pointers: Record<string, unknown>[] = [
      { jku: `${ci.issuer}/elsewhere` },
      { x5u: other.jwksUri },
      { jwk: publicJwk(attacker) },
      { x5c: ['AAAA'] },
    ]
    for (const header of pointers) {
      expect(await outcome(await ci.mint({}, { key: attacker, header }))).toBe(INVALID)
      // In a token of the issuer itself they are ignored.
      expect(await outcome(await ci.mint({}, { header }))).toBe('verified')
    }
    expect([ci.hits('/elsewhere'), other.hits(KEYS_PATH)]).toEqual(before)
  })

  test('of one issuer does not sign for another', async () => {
    const claims = { iss: other.issuer, aud: 'other-audience' }
    const believing = acceptanceOf({ issuers: ['ci', 'other'] })
    expect(await outcome(await other.mint(), readerOf(), believing)).toBe('verified')
    const [key] = ci.keys()
    expect(await outcome(await ci.mint(claims), readerOf(), believing)).toBe(INVALID)
    const renamed = await ci.mint(claims, { header: { kid: other.keys()[0]?.kid }, ...(key && { key }) })
    expect(await outcome(renamed, readerOf(), believing)).toBe(INVALID)
    expect(await outcome(await ci.mint({ iss: other.issuer }), readerOf(), believing)).toBe(
      'foreign DENY_WRONG_AUDIENCE',
    )
  })

  test('may go unnamed where the issuer has only one of its kind', async () => {
    expect(await outcome(await ci.mint({}, { header: { kid: undefined } }))).toBe('verified')
    const before = ci.keys()
    const [, second] = ci.rotate('ES256', 'ES256')
    keys.set('ci', makeIssuerKeys({ issuer: ci.issuer, jwksUri: undefined }, clock.ports))
    expect(await outcome(await ci.mint({}, { header: { kid: undefined }, key: second! }))).toBe(INVALID)
    ci.publish(before)
  })

  test('that cannot be fetched at all makes the answer unavailable, never an allow, never a 401', async () => {
    ci.misbehave('status-500')
    expect(await outcome(await ci.mint())).toBe('ERROR_IDP')
    expect(await outcome(await ci.mint({}, { key: makeKeyPair() }))).toBe('ERROR_IDP')
    expect(await outcome(await ci.mint(), readerOf({}, { keysOf: () => undefined }))).toBe('ERROR_IDP')
  })
})

describe('the header', () => {
  test.each<[string, Record<string, unknown>]>([
    ['an unknown `crit`', { crit: ['x'], x: 1 }],
    ['an empty `crit`', { crit: [] }],
    ['`b64: false`', { b64: false, crit: ['b64'] }],
    ['`b64: true`', { b64: true }],
    ['`zip`', { zip: 'DEF' }],
    ['`enc`', { enc: 'A256GCM' }],
    ['a `typ` that is no text', { typ: ['JWT'] }],
    ['a `typ` of a logout token', { typ: 'logout+jwt' }],
    ['a `typ` of a logout token in capitals', { typ: 'Logout+JWT' }],
    ['another `typ`', { typ: 'dpop+jwt' }],
  ])('with %s refuses the token', async (_, header) => {
    const [key] = ci.keys()
    const payload = { iss: ci.issuer, aud: 'postern-test', sub: 'robot', exp: NOW_SECONDS + 60 }
    const whole = JSON.stringify({ alg: 'ES256', kid: key?.kid, typ: 'JWT', ...header })
    expect(await outcome(rawToken(whole, JSON.stringify(payload), es256(key!.privateKey)))).toBe(INVALID)
    const plain = JSON.stringify({ alg: 'ES256', kid: key?.kid, typ: 'JWT' })
    expect(await outcome(rawToken(plain, JSON.stringify(payload), es256(key!.privateKey)))).toBe('verified')
  })

  test.each([['at+jwt'], ['AT+JWT'], ['application/at+jwt'], ['JWT'], [undefined]])(
    'may say typ %s',
    async (typ) => {
      expect(await outcome(await ci.mint({}, { header: { typ } }))).toBe('verified')
    },
  )

  test('must have a `typ` where plain JWTs are not accepted', async () => {
    const strict = readerOf({ tokenTypes: ['at+jwt'] })
    expect(await outcome(await ci.mint(), strict)).toBe('verified')
    expect(await outcome(await ci.mint({}, { header: { typ: undefined } }), strict)).toBe(INVALID)
    const careless = readerOf({ tokenTypes: ['logout+jwt'] })
    expect(await outcome(await ci.mint({}, { header: { typ: 'logout+jwt' } }), careless)).toBe(INVALID)
  })
})

const es256 =
  (key: KeyObject) =>
  (input: string): Buffer =>
    signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })

describe('issuer and audience', () => {
  test.each<[string, unknown]>([
    ['missing', undefined],
    ['another', 'other'],
    ['a longer one', 'postern-test-evil'],
    ['another case', 'Postern-Test'],
    ['an object', { 'postern-test': true }],
    ['empty', []],
    ['empty text', ''],
    ['a list of others', ['a', 'b']],
    ['a list with ours and a number', ['postern-test', 7]],
    ['a list in a list', [['postern-test']]],
    ['null', null],
    ['of another issuer', 'other-audience'],
    ['a client id, as in an ID token', 'postern'],
  ])('aud %s: not ours', async (_, aud) => {
    expect(await outcome(await ci.mint({ aud }))).toBe('foreign DENY_WRONG_AUDIENCE')
  })

  test('aud in a list beside others: ours', async () => {
    expect(await outcome(await ci.mint({ aud: ['x', 'postern-test'] }))).toBe('verified')
  })

  test('iss in any other spelling: not ours', async () => {
    const spellings = [
      `${ci.issuer}/`,
      ci.issuer.toUpperCase(),
      ` ${ci.issuer}`,
      undefined,
      [ci.issuer],
      'evil',
      '',
    ]
    for (const iss of spellings) expect(await outcome(await ci.mint({ iss }))).toBe(FOREIGN)
  })

  test('no audience configured: nothing is ours', async () => {
    expect(await outcome(await ci.mint(), readerOf({ audiences: [] }))).toBe('foreign DENY_WRONG_AUDIENCE')
  })

  test('an issuer that the route does not believe is nobody there: its token is foreign', async () => {
    expect(await outcome(await other.mint())).toBe('foreign DENY_WRONG_ISSUER')
    expect(await outcome(await other.mint(), readerOf(), acceptanceOf({ issuers: ['other'] }))).toBe(
      'verified',
    )
    expect(await outcome(await ci.mint(), readerOf(), acceptanceOf({ issuers: ['other'] }))).toBe(
      'foreign DENY_WRONG_ISSUER',
    )
  })

  test('one issuer under two names is read as the one that the route believes', async () => {
    const twin = issuerOf({ id: 'twin', issuer: ci.issuer, isDefault: false })
    const reader = readerOf({}, { issuers: [...sourcesOf(), twin], keysOf: () => keys.get('ci') })
    const token = await ci.mint()
    for (const id of ['ci', 'twin']) {
      const reading = reader(token, acceptanceOf({ issuers: [id] }))
      const finding = reading.kind === 'ours' ? await reading.verify() : undefined
      expect(finding?.authentication).toMatchObject({ kind: 'verified', principal: { source: id } })
    }
  })
})

describe('the times', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['no exp', { exp: undefined }, INVALID],
    ['exp null', { exp: null }, INVALID],
    ['exp 0', { exp: 0 }, INVALID],
    ['exp as text', { exp: String(NOW_SECONDS + 60) }, INVALID],
    ['exp 61 s ago', { exp: NOW_SECONDS - 61 }, INVALID],
    ['exp 60 s ago', { exp: NOW_SECONDS - 60 }, INVALID],
    ['exp 59 s ago', { exp: NOW_SECONDS - 59 }, 'verified'],
    ['nbf in 61 s', { nbf: NOW_SECONDS + 61 }, INVALID],
    ['nbf in 60 s', { nbf: NOW_SECONDS + 60 }, 'verified'],
    ['nbf as text', { nbf: 'x' }, INVALID],
    ['iat in 61 s', { iat: NOW_SECONDS + 61 }, INVALID],
    ['iat in 60 s', { iat: NOW_SECONDS + 60 }, 'verified'],
    ['iat as a list', { iat: [1] }, INVALID],
    ['no iat', { iat: undefined }, 'verified'],
    ['no sub', { sub: undefined }, INVALID],
    ['sub empty', { sub: '' }, INVALID],
    ['sub a number', { sub: 7 }, INVALID],
    ['sub with a line break', { sub: 'a\nb' }, INVALID],
    ['jti a number', { jti: 7 }, INVALID],
    ['events, as in a logout token', { events: {} }, INVALID],
  ])('%s: %s', async (_, claims, expected) => {
    // jose checks types when it mints; what it refuses to mint is signed by hand.
    const [key] = ci.keys()
    const whole = { iss: ci.issuer, aud: 'postern-test', sub: 'robot', exp: NOW_SECONDS + 300, ...claims }
    const header = JSON.stringify({ alg: 'ES256', kid: key?.kid, typ: 'JWT' })
    expect(await outcome(rawToken(header, JSON.stringify(whole), es256(key!.privateKey)))).toBe(expected)
  })

  test('that no clock reaches are refused', async () => {
    const [key] = ci.keys()
    const header = JSON.stringify({ alg: 'ES256', kid: key?.kid })
    for (const exp of ['1e999', '"1e999"', '-1e999', 'true']) {
      const payload = `{"iss":"${ci.issuer}","aud":"postern-test","sub":"a","exp":${exp}}`
      expect(await outcome(rawToken(header, payload, es256(key!.privateKey)))).toBe(INVALID)
    }
  })

  test('bound the age where a greatest one is configured', async () => {
    const young = readerOf({ maxTokenAgeSeconds: 600 })
    expect(await outcome(await ci.mint({ iat: NOW_SECONDS - 660 }), young)).toBe('verified')
    expect(await outcome(await ci.mint({ iat: NOW_SECONDS - 661 }), young)).toBe(INVALID)
    expect(await outcome(await ci.mint({ iat: undefined }), young)).toBe(INVALID)
    const token = await ci.mint({ iat: NOW_SECONDS - 500, exp: NOW_SECONDS + 9999 })
    expect((await principalOf(token, young)).expiresAtSeconds).toBe(NOW_SECONDS + 160)
  })
})

describe('the text of a token', () => {
  test('has one spelling', async () => {
    const token = await ci.mint()
    const [head = '', body = '', signature = ''] = token.split('.')
    expect(await outcome(token)).toBe('verified')
    const last = signature.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twins = alphabet
      .split('')
      .filter((one) => one !== last)
      .map((one) => signature.slice(0, -1) + one)
    const spellings = [
      `${token}\n`,
      ` ${token}`,
      `${token} `,
      `${token}\t`,
      `${token}=`,
      `${token}.`,
      `${token}..`,
      `${head}=.${body}.${signature}`,
      `${head}.${body}=.${signature}`,
      `${head}.${body}`,
      `${head}..${signature}`,
      `${head}.${body}.${signature}.a.b`,
      `.${body}.${signature}`,
      `${head}.${body}.${signature},x`,
      `"${token}"`,
      `${token}\u0000`,
      `${token}\u00a0`,
    ]
    for (const spelling of spellings) expect(await outcome(spelling), spelling).toBe(FOREIGN)
    for (const twin of twins) expect(await outcome(`${head}.${body}.${twin}`)).not.toBe('verified')
    expect(await outcome(`${head}.${body}.`)).toBe(INVALID)
  })

  test('is not read beyond 8 KiB', async () => {
    const long = await ci.mint({ pad: 'x'.repeat(8000) })
    const short = await ci.mint({ pad: 'x'.repeat(5000) })
    expect(long.length).toBeGreaterThan(8192)
    expect(await outcome(long)).toBe(FOREIGN)
    expect(await outcome(short)).toBe('verified')
    expect(await outcome('a.'.repeat(1_000_000))).toBe(FOREIGN)
  })

  test('that names a key twice is refused, whichever of the two a reader takes', async () => {
    const [key] = ci.keys()
    const header = JSON.stringify({ alg: 'ES256', kid: key?.kid })
    const rest = `"iss":"${ci.issuer}","aud":"postern-test","exp":${NOW_SECONDS + 60}`
    const signed = (head: string, payload: string): string => rawToken(head, payload, es256(key!.privateKey))
    expect(await outcome(signed(header, `{"sub":"low",${rest}}`))).toBe('verified')
    expect(await outcome(signed(header, `{"sub":"low","sub":"admin",${rest}}`))).toBe(INVALID)
    expect(await outcome(signed(header, `{"sub":"low","s\\u0075b":"admin",${rest}}`))).toBe(INVALID)
    expect(await outcome(signed(header, `{"sub":"low","x":{"a":1,"a":2},${rest}}`))).toBe(INVALID)
    const twice = header.replace('{', '{"alg":"none",')
    expect(await outcome(signed(twice, `{"sub":"low",${rest}}`))).toBe(INVALID)
  })

  test('with a changed payload, header or signature is refused', async () => {
    const [head = '', body = '', signature = ''] = (await ci.mint({ groups: ['dev'] })).split('.')
    const edited = Buffer.from(body, 'base64url').toString().replace('dev', 'adm')
    expect(await outcome(`${head}.${Buffer.from(edited).toString('base64url')}.${signature}`)).toBe(INVALID)
    const bytes = Buffer.from(signature, 'base64url')
    for (let index = 0; index < bytes.length; index += 1) {
      const flipped = Buffer.from(bytes)
      flipped[index]! ^= 1
      expect(await outcome(`${head}.${body}.${flipped.toString('base64url')}`)).toBe(INVALID)
    }
  })
})

describe('groups in a token', () => {
  test.each<[string, unknown, string]>([
    ['a string with a comma', 'dev,admins', 'present'],
    ['a list of it', ['dev,admins'], 'present'],
    ['a line break', ['dev\nadmins'], 'not-assertable'],
    ['nested', [['admins']], 'not-assertable'],
    ['an object', { admins: true }, 'not-assertable'],
    ['none', undefined, 'absent'],
  ])('(%s) never make somebody an admin', async (_, groups, kind) => {
    const principal = await principalOf(await ci.mint({ groups }))
    const state = claimState(principal, 'groups')
    expect(state.kind).toBe(kind)
    expect(state.kind === 'present' && state.values.includes('admins')).toBe(false)
    const admin = claimState(await principalOf(await ci.mint({ groups: ['admins'] })), 'groups')
    expect(admin.kind === 'present' && admin.values.includes('admins')).toBe(true)
  })

  test('that the issuer may not assert do not count', async () => {
    const narrow = readerOf({ claims: { sub: 'sub' } })
    expect((await principalOf(await ci.mint({ groups: ['admins'] }), narrow)).claims.has('groups')).toBe(
      false,
    )
  })
})

describe('a revocation', () => {
  test('by token id, by subject or of all ends the token and leaves others', async () => {
    const limits = { entriesMax: 10, keepSeconds: 60, keepBearerSeconds: 60 }
    const table = makeRevocationTable(limits, () => NOW_SECONDS)
    const reader = readerOf({}, { checkRevocation: table.check })
    const [first, second, third] = [
      await ci.mint({ jti: 'j1' }),
      await ci.mint({ jti: 'j2' }),
      await ci.mint({ sub: 'robot-2' }),
    ]
    const outcomes = async (): Promise<string[]> =>
      Promise.all([first, second, third].map((token) => outcome(token, reader)))
    expect(await outcomes()).toEqual(['verified', 'verified', 'verified'])
    table.revokeCredential('ci|j1', { source: 'ci', subject: 'robot' })
    expect(await outcomes()).toEqual(['DENY_CRED_REVOKED', 'verified', 'verified'])
    table.revokeSubject({ source: 'ci', subject: 'robot' })
    expect(await outcomes()).toEqual(['DENY_CRED_REVOKED', 'DENY_CRED_REVOKED', 'verified'])
    table.revokeAll()
    expect(await outcomes()).toEqual(['DENY_CRED_REVOKED', 'DENY_CRED_REVOKED', 'DENY_CRED_REVOKED'])
  })

  test('is asked for with the id, owner and time of the token', async () => {
    const asked: Revocable[] = []
    const reader = readerOf({}, { checkRevocation: (one) => (asked.push(one), 'live') })
    await outcome(await ci.mint({ jti: 'j9' }), reader)
    expect(asked).toEqual([
      {
        id: 'ci|j9',
        source: 'ci',
        subject: 'robot',
        providerSession: undefined,
        number: undefined,
        issuedAtSeconds: NOW_SECONDS,
      },
    ])
  })
})

describe('what is said about a bad token', () => {
  test('never holds a part of it', async () => {
    const secret = `planted-secret-${randomUUID()}`
    const tokens = [
      secret,
      await ci.mint({ iss: secret }),
      await ci.mint({ aud: secret }),
      await ci.mint({ sub: `${secret}\n` }),
      await ci.mint({}, { header: { typ: secret } }),
      await ci.mint({}, { header: { kid: secret }, key: makeKeyPair() }),
      rawToken(JSON.stringify({ alg: secret }), JSON.stringify({ iss: ci.issuer, aud: 'postern-test' }), () =>
        Buffer.from(secret),
      ),
    ]
    for (const token of tokens) expect(await whyOf(token)).not.toContain('planted-secret')
    expect(await whyOf(await ci.mint())).toBe('verified')
  })
})

describe('two callers', () => {
  test('never get each other’s identity, however their tokens interleave', async () => {
    const reader = readerOf()
    const names = Array.from({ length: 8 }, (_, index) => `robot-${index}`)
    const tokens = await Promise.all(names.map((sub) => ci.mint({ sub, groups: [sub] })))
    const rounds = Array.from({ length: 800 }, (_, index) => (index * 5 + (index >> 3)) % 8)
    const found = await Promise.all(rounds.map((index) => principalOf(tokens[index] ?? '', reader)))
    expect(found.map((one) => one.subject)).toEqual(rounds.map((index) => names[index]))
    expect(found.map((one) => one.claims.get('groups'))).toEqual(rounds.map((index) => [names[index]]))
  })
})
