// How an application checks `X-Postern-Assertion` by itself: a signature over the identity, keys from Postern's JWKS.
// Only node:crypto, to show that no library is needed.
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'

export type AssertionVerdict =
  | { readonly kind: 'valid'; readonly subject: string; readonly expiresAtSeconds: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly why: string }

export interface AssertionRules {
  /** Fetches the key set; called at each check that meets a key it has not seen. */
  readonly fetchKeys: () => Promise<readonly JsonWebKey[]>
  readonly issuer: string
  readonly audience: string
  readonly nowSeconds: () => number
}

export type CheckAssertion = (assertion: string | undefined) => Promise<AssertionVerdict>

const CLOCK_TOLERANCE_SECONDS = 60

/** Makes the check (RFC 7515 §5.2, RFC 7519 §7.2, ES256 alone). It never rejects: trouble is a verdict. */
export const makeAssertionCheck = (rules: AssertionRules): CheckAssertion => {
  let keys: readonly JsonWebKey[] = []
  const keyFor = async (id: unknown): Promise<JsonWebKey | undefined> => {
    const known = keys.find((key) => key['kid'] === id)
    if (known !== undefined) return known
    keys = await rules.fetchKeys()
    return keys.find((key) => key['kid'] === id)
  }
  return async (assertion) => {
    if (assertion === undefined || assertion === '') return { kind: 'missing' }
    try {
      return await judged(assertion, keyFor, rules)
    } catch {
      // Text that is no JSON, a key that is none, a key set that cannot be reached: all mean that nothing is proved.
      return invalid('it cannot be read, or the key set cannot be reached')
    }
  }
}

const judged = async (
  assertion: string,
  keyFor: (id: unknown) => Promise<JsonWebKey | undefined>,
  rules: AssertionRules,
): Promise<AssertionVerdict> => {
  const [head = '', body = '', signature = '', ...rest] = assertion.split('.')
  const header = fields(head)
  if (rest.length > 0 || header.get('alg') !== 'ES256') return invalid('it is not signed with ES256')
  const jwk = await keyFor(header.get('kid'))
  if (jwk === undefined) return invalid('its key is not in the key set')
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  const isSigned = verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))
  return isSigned ? claimsVerdict(fields(body), rules) : invalid('its signature is wrong')
}

const claimsVerdict = (claims: ReadonlyMap<string, unknown>, rules: AssertionRules): AssertionVerdict => {
  const [subject, expires] = [claims.get('sub'), claims.get('exp')]
  if (claims.get('iss') !== rules.issuer) return invalid('another issuer made it')
  if (claims.get('aud') !== rules.audience) return invalid('it is meant for another application')
  if (typeof expires !== 'number' || expires + CLOCK_TOLERANCE_SECONDS < rules.nowSeconds())
    return invalid('it has expired')
  if (typeof subject !== 'string') return invalid('it names nobody')
  return { kind: 'valid', subject, expiresAtSeconds: expires }
}

const fields = (part: string): ReadonlyMap<string, unknown> => {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
}

const invalid = (why: string): AssertionVerdict => ({ kind: 'invalid', why })
