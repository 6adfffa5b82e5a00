// The claims of a bearer token: which must be there, when it holds, and whom it names. Judged before the signature,
// since that costs more, and believed only after it.
import type { Principal } from '../policy/principal.ts'
import { isCleanText, mapClaims } from './claims.ts'
import { SKEW_SECONDS } from './clock-skew.ts'
import { isMultiFactor } from './multi-factor.ts'
import { judgeAccount } from './service-account-token.ts'
import type { IssuerSource } from './source.ts'
import { isObject, ownValue, type JsonObject } from './strict-json.ts'

/** What revocation and caching need beside the principal. */
export interface TokenClaims {
  readonly subject: string
  readonly expiresAtSeconds: number
  readonly issuedAtSeconds: number | undefined
  readonly tokenId: string | undefined
  /** `auth_time`; undefined where the token does not say, or names a time that is to come. */
  readonly authTimeSeconds: number | undefined
  /** `namespace/name`; undefined for any other kind of token. */
  readonly serviceAccount: string | undefined
}

export type ClaimsJudgement =
  | { readonly kind: 'good'; readonly claims: TokenClaims }
  | { readonly kind: 'bad'; readonly why: string }

/**
 * Judges the registered claims (RFC 7519 §4.1).
 * @param payload untrusted
 * @param nowSeconds wall clock
 * @returns `good`, or what is wrong in words without values. Never throws.
 */
export const judgeClaims = (
  payload: JsonObject,
  source: IssuerSource,
  nowSeconds: number,
): ClaimsJudgement => {
  const subject = ownValue(payload, 'sub')
  const tokenId = ownValue(payload, 'jti')
  if (typeof subject !== 'string' || subject === '' || !isCleanText(subject))
    return bad('it has no proper `sub`')
  if (tokenId !== undefined && typeof tokenId !== 'string') return bad('its `jti` is no text')
  const times = TIMES.map((name) => ownValue(payload, name))
  if (!times.every(isOptionalTime)) return bad('a time in it is no number')
  const [expiresAtSeconds, notBeforeSeconds, issuedAtSeconds] = times
  if (expiresAtSeconds === undefined) return bad('it has no `exp`')
  const fault = timeFault({ expiresAtSeconds, notBeforeSeconds, issuedAtSeconds }, source, nowSeconds)
  if (fault !== undefined) return bad(fault)
  const authTimeSeconds = pastTime(ownValue(payload, 'auth_time'), nowSeconds)
  const claims = { subject, expiresAtSeconds, issuedAtSeconds, tokenId, authTimeSeconds }
  if (source.credential === 'bearer')
    return { kind: 'good', claims: { ...claims, serviceAccount: undefined } }
  const account = judgeAccount(payload, subject, claims, source)
  return account.kind === 'bad'
    ? account
    : { kind: 'good', claims: { ...claims, serviceAccount: account.name } }
}

const TIMES = ['exp', 'nbf', 'iat'] as const

const bad = (why: string): ClaimsJudgement => ({ kind: 'bad', why })

/** `1e999` parses to Infinity, which no clock ever reaches. */
const isOptionalTime = (value: unknown): value is number | undefined =>
  value === undefined || (typeof value === 'number' && Number.isFinite(value))

/** A login that is to come would stay fresh for as long as it is to come. */
const pastTime = (value: unknown, nowSeconds: number): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value <= nowSeconds + SKEW_SECONDS
    ? value
    : undefined

interface TokenTimes {
  readonly expiresAtSeconds: number
  readonly notBeforeSeconds: number | undefined
  readonly issuedAtSeconds: number | undefined
}

const timeFault = (times: TokenTimes, source: IssuerSource, nowSeconds: number): string | undefined => {
  const { expiresAtSeconds, notBeforeSeconds, issuedAtSeconds } = times
  if (nowSeconds >= expiresAtSeconds + SKEW_SECONDS) return 'it has expired'
  if (notBeforeSeconds !== undefined && nowSeconds < notBeforeSeconds - SKEW_SECONDS)
    return 'it does not hold yet'
  if (issuedAtSeconds !== undefined && nowSeconds < issuedAtSeconds - SKEW_SECONDS)
    return 'its `iat` is to come'
  const { maxTokenAgeSeconds } = source
  if (maxTokenAgeSeconds === undefined) return undefined
  if (issuedAtSeconds === undefined) return 'it does not say when it was issued'
  return nowSeconds > issuedAtSeconds + maxTokenAgeSeconds + SKEW_SECONDS ? 'it is too old' : undefined
}

/**
 * The caller that a verified token names.
 * @param payload of a token whose signature was verified
 */
export const bearerPrincipal = (
  payload: JsonObject,
  source: IssuerSource,
  claims: TokenClaims,
): Principal => {
  const mapped = mapClaims(payload, source.claims)
  return {
    ...(claims.serviceAccount === undefined
      ? bearerOf(payload, source, claims)
      : accountOf(claims.serviceAccount)),
    source: source.id,
    subject: claims.subject,
    claims: mapped.claims,
    assertable: new Set(Object.keys(source.claims)),
    captured: 'every',
    cut: mapped.cut,
    groupsComplete: true,
    emailVerified: source.emailTrusted || ownValue(payload, 'email_verified') === true,
    multiFactorAcr: source.mfa?.acr ?? [],
    stepUp: undefined,
    sessionId: undefined,
    // INVARIANT: never later than the moment from which the token itself would be refused.
    expiresAtSeconds: Math.min(claims.expiresAtSeconds, oldestAtSeconds(source, claims)) + SKEW_SECONDS,
  }
}

type Bearer = Pick<
  Principal,
  'kind' | 'credential' | 'client' | 'amr' | 'acr' | 'authTimeSeconds' | 'multiFactor' | 'serviceAccount'
>

const bearerOf = (payload: JsonObject, source: IssuerSource, claims: TokenClaims): Bearer => {
  const amr = textsOf(payload, 'amr')
  const acr = textOf(payload, 'acr')
  return {
    kind: source.subjects === 'people' ? 'person' : 'machine',
    credential: 'bearer',
    client: textOf(payload, 'client_id') ?? textOf(payload, 'azp'),
    amr,
    acr,
    authTimeSeconds: claims.authTimeSeconds,
    multiFactor: isMultiFactor(source, amr, acr),
  }
}

/** A service account is nobody's client and has not signed in. */
const accountOf = (serviceAccount: string): Bearer => ({
  kind: 'machine',
  credential: 'service-account',
  serviceAccount,
  client: undefined,
  amr: [],
  acr: undefined,
  authTimeSeconds: undefined,
  multiFactor: false,
})

const oldestAtSeconds = (source: IssuerSource, claims: TokenClaims): number =>
  source.maxTokenAgeSeconds === undefined || claims.issuedAtSeconds === undefined
    ? Number.POSITIVE_INFINITY
    : claims.issuedAtSeconds + source.maxTokenAgeSeconds

const textOf = (payload: JsonObject, name: string): string | undefined => {
  const value = ownValue(payload, name)
  return typeof value === 'string' && isCleanText(value) ? value : undefined
}

const textsOf = (payload: JsonObject, name: string): readonly string[] => {
  const value = ownValue(payload, name)
  if (!Array.isArray(value)) return []
  return value.filter((one): one is string => typeof one === 'string' && isCleanText(one))
}

/** True where a token is of the kind that a logout carries (OIDC Back-Channel Logout §2.4). */
export const isLogoutToken = (payload: JsonObject): boolean => isObject(ownValue(payload, 'events'))
