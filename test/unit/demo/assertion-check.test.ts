// An application must not believe a header that any neighbour in the network could send: the assertion proves it.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeAssertionCheck, type AssertionRules } from '../../../src/demo/assertion-check.ts'
import { readCaller } from '../../../src/demo/caller.ts'

const NOW = 1_800_000_000
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const CLAIMS = { iss: 'http://auth', aud: 'wiki', sub: 'ada', exp: NOW + 300 }

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const signed = (claims: object, key: KeyObject = ours.privateKey, header: object = {}): string => {
  const text = `${encoded({ alg: 'ES256', kid: 'k1', ...header })}.${encoded(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}
const rules = (change: Partial<AssertionRules> = {}): AssertionRules => ({
  fetchKeys: async () => [{ ...ours.publicKey.export({ format: 'jwk' }), kid: 'k1' }],
  issuer: 'http://auth',
  audience: 'wiki',
  nowSeconds: () => NOW,
  ...change,
})

describe('an assertion', () => {
  it('that Postern signed for this application is valid', async () => {
    expect(await makeAssertionCheck(rules())(signed(CLAIMS))).toEqual({
      kind: 'valid',
      subject: 'ada',
      expiresAtSeconds: NOW + 300,
    })
  })

  it.each([
    ['signed with another key', signed(CLAIMS, theirs.privateKey)],
    ['with a key id that is not in the set', signed(CLAIMS, ours.privateKey, { kid: 'k2' })],
    ['of alg none', `${encoded({ alg: 'none', kid: 'k1' })}.${encoded(CLAIMS)}.`],
    [
      'whose claims were changed',
      signed(CLAIMS).replace(/\.[^.]+\./, `.${encoded({ ...CLAIMS, sub: 'root' })}.`),
    ],
    ['for another application', signed({ ...CLAIMS, aud: 'grafana' })],
    ['of another issuer', signed({ ...CLAIMS, iss: 'http://evil' })],
    ['that has expired', signed({ ...CLAIMS, exp: NOW - 61 })],
    ['without an end', signed({ ...CLAIMS, exp: undefined })],
    ['without a subject', signed({ ...CLAIMS, sub: undefined })],
    ['that is no JWT', 'not a token'],
  ])('%s is invalid', async (_, assertion) => {
    expect((await makeAssertionCheck(rules())(assertion)).kind).toBe('invalid')
  })

  it('proves nothing while the keys cannot be fetched, and a later one does', async () => {
    const answers = [Promise.reject(new Error('down')), rules().fetchKeys()]
    const check = makeAssertionCheck(rules({ fetchKeys: () => answers.shift() ?? rules().fetchKeys() }))
    expect((await check(signed(CLAIMS))).kind).toBe('invalid')
    expect((await check(signed(CLAIMS))).kind).toBe('valid')
  })

  it('that is missing is told apart', async () => {
    expect(await makeAssertionCheck(rules())(undefined)).toEqual({ kind: 'missing' })
  })
})

describe('the caller', () => {
  it.each([
    ['ada', signed(CLAIMS), true],
    ['root', signed(CLAIMS), false],
    ['ada', signed(CLAIMS, theirs.privateKey), false],
    ['ada', '', false],
  ])('%s is proved only by an assertion of the same name', async (user, assertion, isProved) => {
    const headers = new Headers({ 'X-Auth-Request-User': user, 'X-Postern-Assertion': assertion })
    expect((await readCaller(headers, makeAssertionCheck(rules()))).isProved).toBe(isProved)
  })
})
