// A logout token: the provider says, server to server, that a session of its own has ended. Every check of OIDC
// Back-Channel Logout 1.0 §2.6; no other token of the provider passes for one, and it passes for no other.
import { verifySignature } from './bearer-jwt.ts'
import { readToken, type OwnToken, type TokenParty } from './bearer-token.ts'
import { isCleanText } from './claims.ts'
import { SKEW_SECONDS } from './clock-skew.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { isPublicKeyAlgorithm } from './key-set.ts'
import { isObject, ownValue, type JsonObject } from './strict-json.ts'

/** A provider that may send logout tokens; its audience is our client id. */
export interface LogoutParty extends TokenParty {
  readonly id: string
}

export interface LogoutDeps {
  readonly providers: readonly LogoutParty[]
  /** By id of the provider. */
  readonly keysOf: (id: string) => Promise<Pick<IssuerKeys, 'find'> | undefined>
}

/** What a verified logout token says. At least one of subject and provider session is there. */
export interface Logout {
  readonly provider: string
  /** `jti`: good once. */
  readonly tokenId: string
  readonly subject: string | undefined
  /** `sid`. */
  readonly providerSession: string | undefined
  /** Until then it could be presented again, epoch seconds. */
  readonly endsAtSeconds: number
}

export type LogoutReading =
  /** One for each provider whom the token fits: several may share issuer and client. */
  | { readonly kind: 'logout'; readonly logouts: readonly [Logout, ...Logout[]] }
  /** `why` holds nothing of the token. */
  | { readonly kind: 'refused'; readonly provider: string | undefined; readonly why: string }
  /** The keys of the provider cannot be had. */
  | { readonly kind: 'unavailable'; readonly provider: string; readonly why: string }

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** Longest time since `iat`: a logout is told at once. */
const AGE_MAX_SECONDS = 300

/**
 * Verifies a logout token; whether it was seen before is for the caller to look up.
 * @param text untrusted. Never rejects.
 */
export const readLogoutToken = async (
  text: string,
  nowSeconds: number,
  deps: LogoutDeps,
): Promise<LogoutReading> => {
  const reading = readToken(text, deps.providers)
  if (reading.kind === 'foreign') return { kind: 'refused', provider: undefined, why: reading.why }
  const { token } = reading
  const [party, ...alike] = token.sources
  if (party === undefined)
    return { kind: 'refused', provider: undefined, why: 'its issuer is not configured' }
  const judged = judge(token, party.id, nowSeconds)
  if (judged.kind === 'refused') return judged
  // One issuer, so the keys of one are the keys of all.
  const keys = await deps.keysOf(party.id)
  const found = await keys?.find(token.header)
  if (found === undefined || found.kind === 'unavailable')
    return { kind: 'unavailable', provider: party.id, why: found?.why ?? 'the provider is not found' }
  if (found.kind === 'unknown') return refused(party.id, 'its provider has no such key')
  if (!(await verifySignature(token, found.key))) return refused(party.id, 'its signature is wrong')
  const others = alike.map(({ id }): Logout => ({ ...judged.logout, provider: id }))
  return { kind: 'logout', logouts: [judged.logout, ...others] }
}

type Refused = Extract<LogoutReading, { kind: 'refused' }>
type Judged = Refused | { readonly kind: 'logout'; readonly logout: Logout }

const refused = (provider: string, why: string): Refused => ({ kind: 'refused', provider, why })

/** Without `typ` it is a plain JWT; access tokens and others have types of their own (RFC 8725 §3.11). */
const TYPES: ReadonlySet<string> = new Set(['logout+jwt', 'jwt'])

const judge = (
  token: Pick<OwnToken, 'fault' | 'header' | 'payload'>,
  provider: string,
  nowSeconds: number,
): Judged => {
  const { payload } = token
  const fault = kindFault(token)
  if (fault !== undefined) return refused(provider, fault)
  const [tokenId, subject, providerSession] = ['jti', 'sub', 'sid'].map((name) => ownValue(payload, name))
  if (!isText(tokenId)) return refused(provider, 'it has no proper `jti`')
  if (!isOptionalText(subject) || !isOptionalText(providerSession))
    return refused(provider, 'its `sub` or `sid` is no proper text')
  if (subject === undefined && providerSession === undefined)
    return refused(provider, 'it names neither `sub` nor `sid`')
  const ends = endOf(payload, nowSeconds)
  if (typeof ends === 'string') return refused(provider, ends)
  return { kind: 'logout', logout: { provider, tokenId, subject, providerSession, endsAtSeconds: ends } }
}

/** Why it is no logout token at all; undefined where it is one. */
const kindFault = ({
  fault,
  header,
  payload,
}: Pick<OwnToken, 'fault' | 'header' | 'payload'>): string | undefined => {
  if (fault !== undefined) return fault
  if (!isPublicKeyAlgorithm(header.alg)) return 'its algorithm is not accepted'
  if (!TYPES.has(header.type ?? 'jwt')) return 'its `typ` is not accepted'
  if (!isLogoutEvent(payload)) return 'it is no logout event'
  return Object.hasOwn(payload, 'nonce') ? 'it has a nonce' : undefined
}

/** Until when it could be presented again; in words, why it cannot be now. */
const endOf = (payload: JsonObject, nowSeconds: number): number | string => {
  const [issued, ends] = ['iat', 'exp'].map((name) => ownValue(payload, name))
  if (!isTime(issued) || !isTime(ends)) return 'it has no proper `iat` and `exp`'
  if (nowSeconds >= ends + SKEW_SECONDS) return 'it has expired'
  if (nowSeconds < issued - SKEW_SECONDS) return 'its `iat` is to come'
  if (nowSeconds > issued + AGE_MAX_SECONDS + SKEW_SECONDS) return 'it is too old'
  return Math.min(ends, issued + AGE_MAX_SECONDS) + SKEW_SECONDS
}

const isLogoutEvent = (payload: JsonObject): boolean => {
  const events = ownValue(payload, 'events')
  return isObject(events) && isObject(ownValue(events, EVENT))
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256 && isCleanText(value)

const isOptionalText = (value: unknown): value is string | undefined => value === undefined || isText(value)

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
