// One issuer's public keys, and which of them a token header asks for. The header chooses among these; it never
// brings a key or an address of one (RFC 8725 §3.10).
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { isObject, ownValue, type JsonObject } from './strict-json.ts'

export interface WantedKey {
  readonly kid: string | undefined
  readonly alg: string
}

interface VerifyingKey {
  readonly kid: string | undefined
  /** The only algorithm it is for, where the set says so. */
  readonly alg: string | undefined
  readonly family: string
  readonly key: KeyObject
}

export type KeySet = readonly VerifyingKey[]

/** Each pinned algorithm and the one family of keys that may serve it: public keys only. */
const FAMILY_OF: Readonly<Record<string, string>> = {
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  PS384: 'rsa',
  PS512: 'rsa',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
}

/** True for algorithms that verify with a public key. Anything else is refused, whatever is configured. */
export const isPublicKeyAlgorithm = (alg: string): boolean => Object.hasOwn(FAMILY_OF, alg)

/** Which of these algorithms some key of the set serves. */
export const servedAlgorithms = (set: KeySet, algorithms: readonly string[]): readonly string[] =>
  algorithms.filter((alg) => {
    const family = Object.hasOwn(FAMILY_OF, alg) ? FAMILY_OF[alg] : undefined
    return set.some((one) => one.family === family && (one.alg === undefined || one.alg === alg))
  })

const KEYS_MAX = 100
const RSA_BITS_MIN = 2048

/**
 * Reads a JWK set (RFC 7517 §5).
 * @param document untrusted
 * @returns the usable keys, perhaps none; keys of other uses, kinds and sizes are passed by. Undefined where it is no
 *   key set at all. Never throws.
 */
export const readKeySet = (document: unknown): KeySet | undefined => {
  const keys = isObject(document) ? ownValue(document, 'keys') : undefined
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) return undefined
  return keys.flatMap((jwk) => {
    const key = isObject(jwk) ? readKey(jwk) : undefined
    return key === undefined ? [] : [key]
  })
}

const readKey = (jwk: JsonObject): VerifyingKey | undefined => {
  if (!isForVerifying(jwk)) return undefined
  const family = familyOf(jwk)
  const key = family === undefined ? undefined : importKey(jwk)
  if (family === undefined || key === undefined || !isStrong(key)) return undefined
  return { kid: textOf(jwk, 'kid'), alg: textOf(jwk, 'alg'), family, key }
}

const isForVerifying = (jwk: JsonObject): boolean => {
  const use = ownValue(jwk, 'use')
  const operations = ownValue(jwk, 'key_ops')
  const mayVerify = operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
  return (use === undefined || use === 'sig') && mayVerify
}

const familyOf = (jwk: JsonObject): string | undefined => {
  const kty = ownValue(jwk, 'kty')
  if (kty === 'RSA') return 'rsa'
  return kty === 'EC' || kty === 'OKP' ? textOf(jwk, 'crv') : undefined
}

const importKey = (jwk: JsonObject): KeyObject | undefined => {
  try {
    return createPublicKey({ key: jwk satisfies JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

const isStrong = (key: KeyObject): boolean =>
  key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN

const textOf = (jwk: JsonObject, name: string): string | undefined => {
  const value = ownValue(jwk, name)
  return typeof value === 'string' ? value : undefined
}

/**
 * Picks the key for a token header.
 * @param wanted untrusted
 * @returns the key with that `kid` whose kind serves the algorithm; without a `kid` the only one of its kind, none
 *   where there are several. Never throws.
 */
export const selectKey = (set: KeySet, wanted: WantedKey): KeyObject | undefined => {
  const family = Object.hasOwn(FAMILY_OF, wanted.alg) ? FAMILY_OF[wanted.alg] : undefined
  const fitting = set.filter(
    (one) => one.family === family && (one.alg === undefined || one.alg === wanted.alg),
  )
  if (wanted.kid !== undefined) return fitting.find((one) => one.kid === wanted.kid)?.key
  return fitting.length === 1 ? fitting[0]?.key : undefined
}
