// Authenticated encryption for everything that leaves the process and comes back: cookies, sign-in transactions, the
// state file. What was sealed for one purpose or place never opens for another. Keys stay inside the closure.
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { tupleText } from './tuple-text.ts'

/** Bytes of one key: `openssl rand -base64 32`, decoded. */
export const SEAL_KEY_BYTES = 32

export interface SealSettings {
  /** The ring: the first one seals, every one opens. */
  readonly keys: readonly Uint8Array[]
  /** What is sealed, e.g. `session`; each purpose has keys of its own, derived from the ring. */
  readonly purpose: string
}

/** Seals and opens texts of one purpose. Synchronous. */
export interface Seal {
  /**
   * @param plain what to hide
   * @param context what the text is bound to, e.g. cookie name and host; not hidden, not contained
   * @returns canonical base64url: version, key id, nonce, ciphertext, tag
   */
  readonly seal: (plain: string, context: readonly string[]) => string
  /**
   * @param text untrusted
   * @param context the one under which it must have been sealed
   * @returns the plain text, or undefined where a bit, the length, the spelling, the purpose, the context or the key
   *   differs. Never throws.
   */
  readonly open: (text: string, context: readonly string[]) => string | undefined
}

interface RingKey {
  /** Version and key id: the first bytes of every text that this key seals. */
  readonly head: Buffer
  readonly secret: KeyObject
}

const VERSION = 1
const HEAD_BYTES = 5
const NONCE_BYTES = 12
const TAG_BYTES = 16
const OVERHEAD_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES
const CIPHER = 'aes-256-gcm'

/**
 * Makes the seal of one purpose.
 * @param settings trusted; keys of {@link SEAL_KEY_BYTES} random bytes
 * @throws {RangeError} where there is no key or one of another length: a fault of the configuration, found at start
 */
export const makeSeal = (settings: SealSettings): Seal => {
  const ring = settings.keys.map((key) => ringKey(key, settings.purpose))
  const [first] = ring
  if (first === undefined) throw new RangeError('a seal needs at least one key')
  const associated = makeAssociatedData(ring, settings.purpose)
  return {
    seal: (plain, context) => sealWith(first, plain, associated(context)[0] ?? NOTHING),
    open: (text, context) => {
      const bytes = decodeCanonical(text)
      if (bytes === undefined || bytes.length < OVERHEAD_BYTES) return undefined
      const bound = associated(context)
      for (const [index, key] of ring.entries()) {
        if (!bytes.subarray(0, HEAD_BYTES).equals(key.head)) continue
        const plain = openWith(key, bytes, bound[index] ?? NOTHING)
        if (plain !== undefined) return plain
      }
      return undefined
    },
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * What a text is bound to, for each key of the ring: the key's head, the purpose and the context. A context that stays is
 * one array for the life of the process, and made into bytes once.
 */
const makeAssociatedData = (
  ring: readonly RingKey[],
  purpose: string,
): ((context: readonly string[]) => readonly Buffer[]) => {
  const known = new WeakMap<readonly string[], readonly Buffer[]>()
  return (context) => {
    const earlier = known.get(context)
    if (earlier !== undefined) return earlier
    const bound = Buffer.from(tupleText(['postern', purpose, ...context]))
    const all = ring.map(({ head }) => Buffer.concat([head, bound]))
    known.set(context, all)
    return all
  }
}

/** Length of the sealed text of a plain text, in bytes. */
export const sealedLength = (plain: string): number =>
  Math.ceil(((Buffer.byteLength(plain) + OVERHEAD_BYTES) * 4) / 3)

/** A key per purpose: nonces of one purpose never meet those of another under the same key (RFC 5869 §3.2). */
const ringKey = (key: Uint8Array, purpose: string): RingKey => {
  if (key.length !== SEAL_KEY_BYTES) throw new RangeError(`a seal key has ${SEAL_KEY_BYTES} bytes`)
  const derive = (info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, 'postern seal', info, bytes))
  const id = derive('key id', HEAD_BYTES - 1)
  return {
    head: Buffer.concat([Buffer.of(VERSION), id]),
    secret: createSecretKey(derive(`purpose ${purpose}`, SEAL_KEY_BYTES)),
  }
}

/** The nonce is no parameter: a repeated one would give the plain texts away (NIST SP 800-38D §8). */
const sealWith = (key: RingKey, plain: string, bound: Buffer): string => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key.secret, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(bound)
  const body = cipher.update(plain, 'utf8')
  const rest = cipher.final()
  return Buffer.concat([key.head, nonce, body, rest, cipher.getAuthTag()]).toString('base64url')
}

const openWith = (key: RingKey, bytes: Buffer, bound: Buffer): string | undefined => {
  const nonce = bytes.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key.secret, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(bound)
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  const plain = decipher.update(bytes.subarray(HEAD_BYTES + NONCE_BYTES, bytes.length - TAG_BYTES))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain.toString('utf8')
}

/** Node's decoder skips what it does not know and ignores spare bits: two spellings would be one text. */
const decodeCanonical = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
