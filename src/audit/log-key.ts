// The key of checkpoints: Ed25519 (RFC 8032). Who writes the log holds the private part; who checks it needs the public
// one only. A key is named by a hash of its public part.
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { sha256 } from './seal-line.ts'

/** Signs checkpoints. */
export interface LogSigner {
  /** 16 hex digits: the begin of the SHA-256 of the public key (SPKI, DER). */
  readonly keyId: string
  /** @returns the signature in base64url */
  readonly sign: (text: string) => string
}

/** Checks signatures of checkpoints. */
export interface LogKey {
  readonly keyId: string
  /** Never throws. */
  readonly verifies: (text: string, signature: string) => boolean
}

/**
 * Makes the signer.
 * @param pem PKCS#8 of an Ed25519 key, checked before
 * @throws {TypeError} where it is none
 */
export const makeLogSigner = (pem: string): LogSigner => {
  const key = createPrivateKey({ key: pem, format: 'pem' })
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('the key of the log is no Ed25519 key')
  return {
    keyId: keyIdOf(createPublicKey(key)),
    sign: (text) => sign(null, Buffer.from(text, 'latin1'), key).toString('base64url'),
  }
}

/**
 * Reads the key that checks.
 * @param pem the public key (SPKI) or the private one (PKCS#8), untrusted
 * @returns undefined where it is no Ed25519 key in PEM. Never throws.
 */
export const readLogKey = (pem: string): LogKey | undefined => {
  const key = parse(pem)
  if (key?.asymmetricKeyType !== 'ed25519') return undefined
  return {
    keyId: keyIdOf(key),
    verifies: (text, signature) =>
      verify(null, Buffer.from(text, 'latin1'), key, Buffer.from(signature, 'base64url')),
  }
}

/** Takes the public part of either. */
const parse = (pem: string): KeyObject | undefined => {
  try {
    return createPublicKey({ key: pem, format: 'pem' })
  } catch {
    return undefined
  }
}

const keyIdOf = (key: KeyObject): string => sha256(key.export({ type: 'spki', format: 'der' })).slice(0, 16)
