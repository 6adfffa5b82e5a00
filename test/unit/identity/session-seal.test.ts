import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeSeal, SEAL_KEY_BYTES } from '../../../src/identity/seal.ts'
import {
  openSession,
  sealSession,
  SESSION_BYTES_MAX,
  SESSION_PURPOSE,
  sessionBytes,
} from '../../../src/identity/session-seal.ts'
import type { Session } from '../../../src/identity/session.ts'
import { aliceSession } from './session-fixture.ts'

const key = randomBytes(SEAL_KEY_BYTES)
const otherKey = randomBytes(SEAL_KEY_BYTES)
const seal = makeSeal({ keys: [key], purpose: SESSION_PURPOSE })
const domain = { name: '__Secure-postern', boundTo: 'example.com' }

const sealed = (session: Session, by = seal, binding = domain): string => {
  const sealing = sealSession(by, session, binding)
  if (sealing.kind !== 'sealed') throw new Error(`took ${sealing.bytes} bytes`)
  return sealing.value
}

const scalar = fc.oneof(fc.string(), fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }))
const claimName = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '0'))
const anySession: fc.Arbitrary<Session> = fc.record({
  id: fc.string(),
  provider: fc.string(),
  subject: fc.string({ unit: 'grapheme' }),
  providerSession: fc.option(fc.string(), { nil: undefined }),
  authTimeSeconds: fc.integer(),
  amr: fc.array(fc.string(), { maxLength: 4 }),
  acr: fc.option(fc.string(), { nil: undefined }),
  issuedAtSeconds: fc.integer(),
  learnedAtSeconds: fc.integer(),
  expiresAtSeconds: fc.integer(),
  revocationNumber: fc.nat(),
  claims: fc
    .array(fc.tuple(claimName, fc.oneof(scalar, fc.array(scalar, { maxLength: 5 }))), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries)),
  captured: fc.array(fc.string(), { maxLength: 5 }),
  cut: fc.array(fc.string(), { maxLength: 3 }),
  groupsRevision: fc.option(fc.string(), { nil: undefined }),
  emailVerified: fc.boolean(),
  stepUp: fc.option(fc.record({ rule: fc.string(), atSeconds: fc.integer() }), { nil: undefined }),
})

/** As the cookie can hold it: JSON knows no minus zero, and a record's prototype is nobody's business. */
const comparable = (session: Session | undefined): unknown =>
  session === undefined ? undefined : { ...session, claims: JSON.stringify(Object.entries(session.claims)) }

describe('a sealed session', () => {
  test('comes back as it was, whatever its claims are called', () => {
    fc.assert(
      fc.property(anySession, (session) => {
        fc.pre(sessionBytes(session) <= SESSION_BYTES_MAX)
        expect(comparable(openSession(seal, sealed(session), domain))).toEqual(comparable(session))
      }),
    )
  })

  test('holds a claim named `__proto__` as a claim, not as a prototype', () => {
    const claims = JSON.parse('{"__proto__":["admins"]}') as Session['claims']
    const opened = openSession(seal, sealed(aliceSession({ claims })), domain)
    expect(Object.entries(opened?.claims ?? {})).toEqual([['__proto__', ['admins']]])
    expect(opened?.claims['groups']).toBeUndefined()
    expect(opened?.claims['constructor']).toBeUndefined()
  })

  test('does not open with any one bit flipped', () => {
    const value = sealed(aliceSession())
    const bytes = Buffer.from(value, 'base64url')
    expect(openSession(seal, value, domain)?.subject).toBe('alice-sub')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(openSession(seal, flipped.toString('base64url'), domain), `bit ${bit}`).toBeUndefined()
    }
  })

  test('does not open cut short by any number of characters, nor with something added', () => {
    const value = sealed(aliceSession())
    for (let length = 0; length < value.length; length += 1) {
      expect(openSession(seal, value.slice(0, length), domain)).toBeUndefined()
    }
    for (const added of ['A', '=', ' ', '\n', '.', '\u00a0', '%00']) {
      expect(openSession(seal, value + added, domain)).toBeUndefined()
      expect(openSession(seal, added + value, domain)).toBeUndefined()
    }
  })

  test('has one spelling: the other base64 alphabet and spare bits do not open', () => {
    // One plain length in three leaves spare bits at the end of the text, and some text holds `-` or `_`.
    for (let length = 0; length < 60; length += 1) {
      const value = sealed(aliceSession({ acr: 'x'.repeat(length) }))
      const respelled = value.replaceAll('-', '+').replaceAll('_', '/')
      if (respelled !== value) expect(openSession(seal, respelled, domain)).toBeUndefined()
      const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      for (const character of last) {
        const twin = value.slice(0, -1) + character
        if (twin !== value) expect(openSession(seal, twin, domain)).toBeUndefined()
      }
    }
  })

  test('does not open under another name, domain or host', () => {
    const value = sealed(aliceSession())
    expect(openSession(seal, value, { ...domain, name: '__Host-postern' })).toBeUndefined()
    expect(openSession(seal, value, { ...domain, name: '__secure-postern' })).toBeUndefined()
    expect(openSession(seal, value, { ...domain, boundTo: 'example.org' })).toBeUndefined()
    // The same bytes over both fields together, split elsewhere.
    expect(openSession(seal, value, { name: '__Secure-posterne', boundTo: 'xample.com' })).toBeUndefined()
  })

  test('opens with a key that left the front of the ring, and no longer once it left the ring', () => {
    const value = sealed(aliceSession())
    const rotated = makeSeal({ keys: [otherKey, key], purpose: SESSION_PURPOSE })
    const removed = makeSeal({ keys: [otherKey], purpose: SESSION_PURPOSE })
    expect(openSession(rotated, value, domain)?.id).toBe(aliceSession().id)
    expect(openSession(removed, value, domain)).toBeUndefined()
    expect(openSession(seal, sealed(aliceSession(), rotated), domain)).toBeUndefined()
  })

  test('is no other thing that we seal, and no other thing is a session', () => {
    const plain = JSON.stringify({ sub: 'alice-sub' })
    for (const purpose of ['transaction', 'step-up', 'state', 'Session', 'session ', '']) {
      const other = makeSeal({ keys: [key], purpose })
      expect(other.open(sealed(aliceSession()), [domain.name, domain.boundTo])).toBeUndefined()
      expect(openSession(seal, sealed(aliceSession(), other), domain)).toBeUndefined()
    }
    expect(openSession(seal, seal.seal(plain, [domain.name, domain.boundTo]), domain)).toBeUndefined()
  })

  test('does not open when one column has another type, even sealed by our own key', () => {
    const session = aliceSession({ stepUp: { rule: 'app#mfa', atSeconds: 5 } })
    const row = JSON.parse(seal.open(sealed(session), [domain.name, domain.boundTo]) ?? '') as unknown[]
    const place = [domain.name, domain.boundTo]
    expect(openSession(seal, seal.seal(JSON.stringify(row), place), domain)).toBeDefined()
    for (const index of row.keys()) {
      const wrong = row.with(index, { nested: {} })
      expect(
        openSession(seal, seal.seal(JSON.stringify(wrong), place), domain),
        `column ${index}`,
      ).toBeUndefined()
    }
    expect(openSession(seal, seal.seal(JSON.stringify(row.slice(1)), place), domain)).toBeUndefined()
    expect(openSession(seal, seal.seal(JSON.stringify([...row, 1]), place), domain)).toBeUndefined()
    expect(openSession(seal, seal.seal('null', place), domain)).toBeUndefined()
  })

  test('never opens, and never throws, for arbitrary text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), (value) => {
        expect(openSession(seal, value, domain)).toBeUndefined()
      }),
    )
    expect(openSession(seal, 'A'.repeat(100_000), domain)).toBeUndefined()
  })

  test('is sealed up to the limit and reported with its size beyond it', () => {
    const sessionOf = (length: number): Session => aliceSession({ claims: { name: 'n'.repeat(length) } })
    const longest = Array.from({ length: 3000 }, (_, length) => length).findLast(
      (length) => sessionBytes(sessionOf(length)) <= SESSION_BYTES_MAX,
    )
    const fits = sealed(sessionOf(longest ?? 0))
    expect(fits.length).toBeLessThanOrEqual(SESSION_BYTES_MAX)
    expect(fits.length).toBe(sessionBytes(sessionOf(longest ?? 0)))
    const over = sealSession(seal, sessionOf((longest ?? 0) + 1), domain)
    expect(over.kind === 'too-large' && over.bytes > SESSION_BYTES_MAX).toBe(true)
  })
})

describe('a key ring', () => {
  test('refuses to be empty or to hold a short key, and shows none of it', () => {
    expect(() => makeSeal({ keys: [], purpose: 'session' })).toThrow(RangeError)
    const short = Buffer.from('planted-secret')
    expect(() => makeSeal({ keys: [short], purpose: 'session' })).toThrow(/^a seal key has 32 bytes$/)
  })
})
