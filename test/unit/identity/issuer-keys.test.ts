import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  KEY_TIMES,
  makeIssuerKeys,
  type IssuerKeys,
  type KeyLookup,
} from '../../../src/identity/issuer-keys.ts'
import { mayBeFetched } from '../../../src/identity/json-fetch.ts'
import { readKeySet, selectKey } from '../../../src/identity/key-set.ts'
import {
  KEYS_PATH,
  makeKeyPair,
  METADATA_PATH,
  publicJwk,
  startTokenIssuer,
  type IssuerKeyPair,
  type Misbehaviour,
  type TokenIssuer,
} from '../../support/token-issuer.ts'
import { makeKeyClock } from './key-clock.ts'

let issuer: TokenIssuer
let clock: ReturnType<typeof makeKeyClock>
let keys: IssuerKeys

beforeEach(async () => {
  issuer = await startTokenIssuer()
  clock = makeKeyClock()
  keys = makeIssuerKeys({ issuer: issuer.issuer, jwksUri: undefined }, clock.ports)
})

afterEach(async () => {
  keys.stop()
  await issuer.close()
})

const find = (pair: IssuerKeyPair | undefined): KeyLookup | Promise<KeyLookup> =>
  keys.find({ kid: pair?.kid, alg: pair?.alg ?? 'ES256' })
const firstKey = (): IssuerKeyPair => issuer.keys()[0]!

/** Lets the refresh that a timer or a token started come to its end. */
const settled = (): Promise<void> => keys.start()

describe('the keys of an issuer', () => {
  test('are found by discovery, once for many who ask at once, and then without waiting', async () => {
    const found = await Promise.all(Array.from({ length: 20 }, async () => find(firstKey())))
    expect(found.every((one) => one.kind === 'key')).toBe(true)
    expect([issuer.hits(METADATA_PATH), issuer.hits(KEYS_PATH)]).toEqual([1, 1])
    expect(find(firstKey())).toMatchObject({ kind: 'key' })
  })

  test('are found at a configured address without discovery', async () => {
    keys = makeIssuerKeys({ issuer: 'https://other.example.com', jwksUri: issuer.jwksUri }, clock.ports)
    expect(await find(firstKey())).toMatchObject({ kind: 'key' })
    expect(issuer.hits(METADATA_PATH)).toBe(0)
  })

  test('are replaced whole by a refresh: a withdrawn key is gone', async () => {
    await keys.start()
    const old = firstKey()
    const [fresh] = issuer.rotate('ES256')
    expect(find(old)).toMatchObject({ kind: 'key' })
    const revision = keys.revision()
    clock.advance(KEY_TIMES.refreshMs * 1.1)
    await settled()
    expect(find(old)).toEqual({ kind: 'unknown' })
    expect(find(fresh)).toMatchObject({ kind: 'key' })
    expect(keys.revision()).toBe(revision + 1)
  })

  test('stay the same objects, at the same revision, while the set does not change', async () => {
    await keys.start()
    const before = await find(firstKey())
    const revision = keys.revision()
    clock.advance(KEY_TIMES.refreshMs * 1.1)
    await settled()
    const after = await find(firstKey())
    expect(before.kind === 'key' && after.kind === 'key' && before.key === after.key).toBe(true)
    expect(keys.revision()).toBe(revision)
  })

  test('may be none: an issuer that withdraws all is believed', async () => {
    await keys.start()
    const old = firstKey()
    issuer.publish([])
    clock.advance(KEY_TIMES.refreshMs * 1.1)
    await settled()
    expect(find(old)).toEqual({ kind: 'unknown' })
  })
})

describe('a `kid` that nobody knows', () => {
  test('is fetched for at most once in a cool-down, however many ask', async () => {
    await keys.start()
    const stranger = makeKeyPair()
    clock.advance(KEY_TIMES.cooldownMs)
    const before = issuer.hits(KEYS_PATH)
    for (let round = 0; round < 3; round += 1) {
      const found = await Promise.all(
        Array.from({ length: 50 }, async () => find(makeKeyPair('ES256', `x${round}`))),
      )
      expect(found.every((one) => one.kind === 'unknown')).toBe(true)
    }
    expect(issuer.hits(KEYS_PATH)).toBe(before + 1)
    clock.advance(KEY_TIMES.cooldownMs)
    expect(await find(stranger)).toEqual({ kind: 'unknown' })
    expect(issuer.hits(KEYS_PATH)).toBe(before + 2)
  })

  test('is found when the issuer rotated since', async () => {
    await keys.start()
    const [fresh] = issuer.rotate('ES256')
    expect(find(fresh)).toEqual({ kind: 'unknown' })
    clock.advance(KEY_TIMES.cooldownMs)
    expect(await find(fresh)).toMatchObject({ kind: 'key' })
  })

  test('costs no fetch where the header has none', async () => {
    issuer.rotate('ES256', 'ES256')
    await keys.start()
    const hits = issuer.hits(KEYS_PATH)
    clock.advance(KEY_TIMES.cooldownMs)
    expect(keys.find({ kid: undefined, alg: 'ES256' })).toEqual({ kind: 'unknown' })
    expect(issuer.hits(KEYS_PATH)).toBe(hits)
  })
})

describe('an outage of the key address', () => {
  const kinds: readonly Misbehaviour[] = [
    'status-500',
    'garbage',
    'html',
    'not-a-set',
    'redirect',
    'reset',
    'endless',
  ]

  test.each(kinds)(
    '(%s) serves the keys of before, and says what is wrong without quoting it',
    async (how) => {
      await keys.start()
      issuer.misbehave(how)
      clock.advance(KEY_TIMES.refreshMs * 1.1)
      await settled()
      expect(find(firstKey())).toMatchObject({ kind: 'key' })
      expect(keys.health().fault).toMatch(/^key set: /)
      expect(JSON.stringify(keys.health())).not.toContain('planted-secret')
      expect(issuer.hits('/elsewhere')).toBe(0)
      issuer.misbehave('none')
      await settled()
      expect(keys.health()).toEqual({ ageMs: 0, fault: undefined })
    },
  )

  test.each(kinds)(
    '(%s) from the start makes every lookup unavailable, never unknown and never a key',
    async (how) => {
      issuer.misbehave(how)
      await keys.start()
      const found = await find(firstKey())
      expect(found.kind).toBe('unavailable')
      expect(JSON.stringify(found)).not.toContain('planted-secret')
      issuer.misbehave('none')
      clock.advance(KEY_TIMES.retryMs)
      expect(await find(firstKey())).toMatchObject({ kind: 'key' })
    },
  )

  test('by a document without end is cut off at its limit', async () => {
    issuer.misbehave('endless')
    await keys.start()
    expect(keys.health().fault).toBe('key set: it is over 524288 bytes')
  })

  test('ends after a time where the address does not answer', async () => {
    issuer.misbehave('hang')
    const arrived = issuer.nextKeyRequest()
    const started = keys.start()
    await arrived
    clock.advance(5000)
    await started
    expect(keys.health().fault).toMatch(/no answer within 5000 ms/)
  })

  test('ends the use of old keys at the limit, and not before', async () => {
    await keys.start()
    issuer.misbehave('status-500')
    clock.advance(KEY_TIMES.staleMaxMs)
    await settled()
    expect(find(firstKey())).toMatchObject({ kind: 'key' })
    clock.advance(1)
    expect(await find(firstKey())).toMatchObject({ kind: 'unavailable' })
  })

  test('is asked about less and less often, spread, and no more after stop', async () => {
    issuer.misbehave('status-500')
    const pauses: number[] = []
    await keys.start()
    for (let attempt = 0; attempt < 9; attempt += 1) {
      pauses.push(clock.delays()[0] ?? 0)
      clock.advance(pauses.at(-1) ?? 0)
      await settled()
    }
    expect(pauses.slice(0, 4)).toEqual([750, 1500, 3000, 6000])
    expect(pauses.at(-1)).toBe(KEY_TIMES.retryMaxMs * 0.75)
    keys.stop()
    expect(clock.delays()).toEqual([])
  })
})

describe('discovery', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['names another issuer', { issuer: 'http://127.0.0.1:1' }, /names another issuer/],
    ['names the issuer with a slash more', { issuer: 'slash' }, /names another issuer/],
    ['has its keys on another origin', { jwks_uri: 'http://127.0.0.1:1/keys' }, /on another origin/],
    [
      'has its keys at a link-local address',
      { jwks_uri: 'http://169.254.169.254/keys' },
      /on another origin/,
    ],
    ['has its keys in a file', { jwks_uri: 'file:///etc/passwd' }, /on another origin/],
    ['names no keys', { jwks_uri: 7 }, /no `jwks_uri`/],
  ])('that %s gives no keys', async (_, changes, why) => {
    issuer.claimInMetadata(changes['issuer'] === 'slash' ? { issuer: `${issuer.issuer}/` } : changes)
    expect(await find(firstKey())).toMatchObject({ kind: 'unavailable' })
    expect(keys.health().fault).toMatch(why)
    expect(issuer.hits(KEYS_PATH)).toBe(0)
  })

  test.each([
    ['https://idp.example.com/keys', true],
    ['http://127.0.0.1:8080/keys', true],
    ['http://[::1]/keys', true],
    ['http://idp.localhost/keys', true],
    ['http://idp.example.com/keys', false],
    ['http://127.0.0.1.example.com/keys', false],
    ['http://169.254.169.254/keys', false],
    ['https://user:pass@idp.example.com/keys', false],
    ['file:///keys', false],
    ['ftp://idp.example.com/keys', false],
  ])('may fetch %s: %s', (address, expected) => {
    expect(mayBeFetched(new URL(address))).toBe(expected)
  })
})

describe('a key set', () => {
  const good = makeKeyPair('ES256', 'good')
  const idsOf = (jwks: readonly unknown[]): unknown => readKeySet({ keys: jwks })?.map((one) => one.kid)

  test('holds public keys for verifying and passes the others by', () => {
    const jwk = publicJwk(good)
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    const others = [
      { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
      { ...jwk, kid: 'for encryption', use: 'enc' },
      { ...jwk, kid: 'for signing', key_ops: ['sign'] },
      { ...jwk, kid: 'broken', x: 'AA' },
      { ...small, kid: 'small' },
      null,
      'text',
      [],
    ]
    expect(idsOf([...others, jwk])).toEqual(['good'])
  })

  test('is no key set without a list, or with too many', () => {
    for (const document of [
      undefined,
      null,
      [],
      {},
      { keys: {} },
      { keys: Array(101).fill(publicJwk(good)) },
    ]) {
      expect(readKeySet(document)).toBeUndefined()
    }
  })

  test('gives a key only to an algorithm of its kind', () => {
    const rsa = makeKeyPair('RS256', 'rsa')
    const { alg: _, ...unbound } = publicJwk(rsa)
    const set = readKeySet({ keys: [publicJwk(good), publicJwk(rsa), { ...unbound, kid: 'unbound' }] }) ?? []
    expect(selectKey(set, { kid: 'good', alg: 'ES256' })).toBeDefined()
    for (const alg of ['ES384', 'RS256', 'EdDSA', 'HS256', 'none', '', '__proto__', 'toString']) {
      expect(selectKey(set, { kid: 'good', alg })).toBeUndefined()
    }
    expect(selectKey(set, { kid: 'rsa', alg: 'PS256' })).toBeUndefined()
    expect(selectKey(set, { kid: 'unbound', alg: 'PS256' })).toBeDefined()
    expect(selectKey(set, { kid: undefined, alg: 'ES256' })).toBeDefined()
    expect(selectKey(set, { kid: undefined, alg: 'RS256' })).toBeUndefined()
  })
})
