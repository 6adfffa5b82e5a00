// Is this text the kind of key that the configuration promises? Answers with why not; never with the text.
import { createPrivateKey, type KeyObject } from 'node:crypto'

/** Judges base64 of 32 bytes; undefined = good. Never throws. */
export const faultOfSessionKey = (text: string): string | undefined => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') === text && bytes.length === 32) return undefined
  return 'it must be 32 random bytes in base64, 44 characters on one line; make one with `openssl rand -base64 32`'
}

/** Judges a text that goes into a header as it is; undefined = good. Never throws. */
export const faultOfToken = (text: string): string | undefined =>
  /^[!-~]{1,4096}$/.test(text)
    ? undefined
    : 'it must be one line of visible ASCII characters without white space; make one with `openssl rand -hex 32`'

export type SignatureAlgorithm = 'ES256' | 'RS256' | 'EdDSA'

const KEY_OF: Readonly<Record<SignatureAlgorithm, { readonly what: string; readonly make: string }>> = {
  ES256: {
    what: 'an elliptic curve key on P-256',
    make: 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  },
  RS256: {
    what: 'an RSA key of 2048 bits or more',
    make: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072',
  },
  EdDSA: { what: 'an Ed25519 key', make: 'openssl genpkey -algorithm ed25519' },
}

/** Judges the private key of the decision log; undefined = good. Never throws. */
export const faultOfLogKey = (pem: string): string | undefined => faultOfSigningKey(pem, 'EdDSA', true)

/**
 * Judges a private key in PEM for one algorithm; undefined = good. Never throws.
 * @param isFixed there is no `alg` to choose
 */
export const faultOfSigningKey = (
  pem: string,
  alg: SignatureAlgorithm,
  isFixed = false,
): string | undefined => {
  const { what, make } = KEY_OF[alg]
  if (!pem.includes('-----BEGIN PRIVATE KEY-----'))
    return `it must be ${what} in PKCS#8 PEM (\`-----BEGIN PRIVATE KEY-----\`); make one with \`${make}\`, or turn an older form into it with \`openssl pkcs8 -topk8 -nocrypt\``
  const key = parse(pem)
  if (key === undefined) return `it cannot be read as a private key; make one with \`${make}\``
  if (fits(key, alg)) return undefined
  return isFixed
    ? `it must be ${what}; make one with \`${make}\``
    : `\`alg: ${alg}\` needs ${what}; make one with \`${make}\`, or name the \`alg\` of this key`
}

const parse = (pem: string): KeyObject | undefined => {
  try {
    return createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    return undefined
  }
}

const fits = (
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  alg: SignatureAlgorithm,
): boolean => {
  switch (alg) {
    case 'ES256':
      return type === 'ec' && details?.namedCurve === 'prime256v1'
    case 'RS256':
      return type === 'rsa' && (details?.modulusLength ?? 0) >= 2048
    case 'EdDSA':
      return type === 'ed25519'
  }
}
