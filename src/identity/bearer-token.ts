// A bearer token before its signature is known: its one exact spelling, and whose it claims to be. Nothing in here is
// believed; it only decides whether the token is ours to judge.
import type { ReasonCode } from '../policy/reason.ts'
import type { IssuerSource } from './source.ts'
import { ownValue, readJsonObject, type JsonObject } from './strict-json.ts'

/** Who issues tokens, and for whom. */
export type TokenParty = Pick<IssuerSource, 'issuer' | 'audiences'>

/** A token whose `iss` and `aud` both belong to one configured issuer. */
export interface OwnToken<Party extends TokenParty = IssuerSource> {
  readonly text: string
  readonly payload: JsonObject
  /** The configured issuers that it fits, at least one. */
  readonly sources: readonly Party[]
  /** Why it cannot be good, whatever its signature says. */
  readonly fault: string | undefined
  readonly header: TokenHeader
}

export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
  /** Lower case, without `application/`; undefined where the header has none. */
  readonly type: string | undefined
}

export type TokenReading<Party extends TokenParty = IssuerSource> =
  | { readonly kind: 'own'; readonly token: OwnToken<Party> }
  | { readonly kind: 'foreign'; readonly reason: ReasonCode; readonly why: string }

/** Longest token that is looked at: before decoding, so that size costs nothing. */
const TOKEN_BYTES_MAX = 8192

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/

/**
 * Reads a token.
 * @param text untrusted, everything after `Bearer `
 * @param issuers the configured ones
 * @returns `own` where issuer and audience are configured together, good or not; `foreign` for everything else.
 *   Never throws.
 */
export const readToken = <Party extends TokenParty>(
  text: string,
  issuers: readonly Party[],
): TokenReading<Party> => {
  const parts = text.length > TOKEN_BYTES_MAX ? null : COMPACT.exec(text)
  if (parts === null) return foreign('DENY_CRED_INVALID', 'the token is no JWT')
  const [, header, body, signature] = parts.map(decodeCanonical)
  if (header === undefined || body === undefined || signature === undefined) {
    return foreign('DENY_CRED_INVALID', 'the token is no JWT')
  }
  const payload = readJsonObject(body)
  if (payload.kind === 'not-an-object') return foreign('DENY_CRED_INVALID', 'the token is no JWT')
  const issued = issuers.filter((one) => one.issuer === ownValue(payload.value, 'iss'))
  if (issued.length === 0) return foreign('DENY_CRED_INVALID', 'its issuer is not configured')
  const audiences = audiencesOf(payload.value)
  const sources = issued.filter((one) => one.audiences.some((audience) => audiences.includes(audience)))
  if (sources.length === 0) return foreign('DENY_WRONG_AUDIENCE', 'it is for another audience')
  const read = readHeader(header)
  const fault = payload.hasDuplicateKeys ? 'its payload names a key twice' : read.fault
  return { kind: 'own', token: { text, payload: payload.value, sources, fault, header: read.header } }
}

const foreign = (reason: ReasonCode, why: string): Extract<TokenReading, { kind: 'foreign' }> => ({
  kind: 'foreign',
  reason,
  why,
})

/** Spare bits and other spellings would make several tokens out of one. */
const decodeCanonical = (part: string): Buffer | undefined => {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** Whom a token is for. A list with anything but strings in it is no audience (RFC 7519 §4.1.3). Never throws. */
export const audiencesOf = (payload: JsonObject): readonly string[] => {
  const audience = ownValue(payload, 'aud')
  if (typeof audience === 'string') return [audience]
  return Array.isArray(audience) && audience.every((one) => typeof one === 'string') ? audience : []
}

const NO_HEADER: TokenHeader = { alg: '', kid: undefined, type: undefined }

/** Header parameters that change what is signed, or demand what we do not do (RFC 7515 §4.1.11, RFC 7797 §3). */
const DEMANDING = ['crit', 'b64', 'zip', 'enc'] as const

const readHeader = (
  bytes: Uint8Array,
): { readonly header: TokenHeader; readonly fault: string | undefined } => {
  const read = readJsonObject(bytes)
  if (read.kind === 'not-an-object' || read.hasDuplicateKeys) {
    return { header: NO_HEADER, fault: 'its header is no plain JSON object' }
  }
  const alg = ownValue(read.value, 'alg')
  const kid = ownValue(read.value, 'kid')
  const type = ownValue(read.value, 'typ')
  const demanding = DEMANDING.find((name) => Object.hasOwn(read.value, name))
  if (demanding !== undefined) return { header: NO_HEADER, fault: `its header has \`${demanding}\`` }
  if (typeof alg !== 'string' || !isOptionalText(kid) || !isOptionalText(type)) {
    return { header: NO_HEADER, fault: 'its header is malformed' }
  }
  return { header: { alg, kid, type: type?.toLowerCase().replace(/^application\//, '') }, fault: undefined }
}

const isOptionalText = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'
