// Keys and signatures of the provider that misbehaves, down to tokens that no library would make.
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export interface SigningKey {
  readonly kid: string
  readonly alg: 'RS256' | 'ES256'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface ProviderKeys {
  /** Signs, as registered. */
  readonly rs256: SigningKey
  /** Published too, but no algorithm of the registration. */
  readonly es256: SigningKey
  /** Of the registered algorithm, published only after a rotation. */
  readonly spare: SigningKey
  /** Of somebody else. */
  readonly foreign: { readonly rs256: SigningKey; readonly es256: SigningKey }
}

const makeKey = (alg: 'RS256' | 'ES256', kid: string): SigningKey => ({
  kid,
  alg,
  ...(alg === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })),
})

/** Makes a set of keys. The foreign ones carry the names of the right ones. */
export const makeProviderKeys = (): ProviderKeys => ({
  rs256: makeKey('RS256', 'right'),
  es256: makeKey('ES256', 'other-alg'),
  spare: makeKey('RS256', 'spare'),
  foreign: { rs256: makeKey('RS256', 'right'), es256: makeKey('ES256', 'other-alg') },
})

/** As a key set lists it. */
export const jwkOf = (key: SigningKey): Readonly<Record<string, unknown>> => ({
  ...key.publicKey.export({ format: 'jwk' }),
  kid: key.kid,
  alg: key.alg,
  use: 'sig',
})

export type Claims = Readonly<Record<string, unknown>>

/** Signs as the key's algorithm says; `header` is laid over, an undefined parameter is left out. */
export const signWith = (key: SigningKey, claims: Claims, header: Claims = {}): string =>
  signText(key, JSON.stringify(claims), header)

/** The same for a payload that `JSON.stringify` would not write. */
export const signText = (key: SigningKey, payload: string, header: Claims = {}): string => {
  const input = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${Buffer.from(payload).toString('base64url')}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** Signs with a shared secret. */
export const signHs256 = (secret: string | Buffer, claims: Claims, header: Claims = {}): string => {
  const input = `${encode({ alg: 'HS256', ...header })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** Does not sign. */
export const unsigned = (claims: Claims): string => `${encode({ alg: 'none' })}.${encode(claims)}.`

/** The same token with one bit of its signature turned. */
export const turned = (token: string): string => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[7] = (bytes[7] ?? 0) ^ 1
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

const encode = (value: Claims): string => Buffer.from(JSON.stringify(value)).toString('base64url')
