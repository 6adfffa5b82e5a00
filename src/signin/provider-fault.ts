// What openid-client throws, mapped by code to the kinds of fault that sign-in knows. Never by message: those change.
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import type { ErrorCode } from './page.ts'

/**
 * `unavailable`: try again later. `misconfigured`: an operator has to act. `refused`: the answer is not believed.
 * `clock`: what is believed is not yet or no more valid (RFC 7519 §4.1.4, §4.1.5).
 * `answered`: the provider itself said no, with its error code (OAuth 2.0 §4.1.2.1, OIDC Core §3.1.2.6).
 */
export type ProviderFault =
  | { readonly kind: 'unavailable'; readonly why: string }
  | { readonly kind: 'misconfigured'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string }
  /** Ours and the provider's differ by more than the tolerance; `aheadSeconds`: ours, where the token says it. */
  | { readonly kind: 'clock'; readonly why: string; readonly aheadSeconds: number | undefined }
  | { readonly kind: 'answered'; readonly error: string }

const UNAVAILABLE: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'POSTERN_PROVIDER_FETCH_REFUSED',
])

const MISCONFIGURED: ReadonlySet<string> = new Set([
  'OAUTH_HTTP_REQUEST_FORBIDDEN',
  'OAUTH_REQUEST_PROTOCOL_FORBIDDEN',
  'OAUTH_MISSING_SERVER_METADATA',
  'OAUTH_INVALID_SERVER_METADATA',
  'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
])

/** Errors of a token endpoint that are its own trouble, not ours (RFC 6749 §5.2 lists none of them, peers send them). */
const BUSY: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable'])

/**
 * Maps a failure of openid-client or of the network below it.
 * @param error whatever was thrown
 * @returns the fault; `why` is a stable code, never a value of the exchange. Never throws.
 */
export const faultOf = (error: unknown): ProviderFault => {
  if (error instanceof AuthorizationResponseError) return { kind: 'answered', error: plainCode(error.error) }
  if (error instanceof ResponseBodyError) return byCode(plainCode(error.error), error.status)
  const code = libraryCodeOf(error)
  // A failed connection is a bare TypeError (Fetch standard); misuse of the library is one with a code.
  if (code === undefined)
    return { kind: 'unavailable', why: error instanceof TypeError ? 'network' : 'unknown' }
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED')
    return { kind: 'clock', why: code, aheadSeconds: aheadOf(error) }
  return byCode(code, undefined)
}

/** The library hands on, as the cause of the cause, when it looked and what the token said. */
const aheadOf = (error: unknown): number | undefined => {
  const told = causeOf(causeOf(error))
  const now = numberOf(told, 'now')
  const issuedAt = numberOf(memberOf(told, 'claims'), 'iat')
  return now === undefined || issuedAt === undefined ? undefined : Math.round(now - issuedAt)
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined)

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined

const numberOf = (value: unknown, name: string): number | undefined => {
  const member = memberOf(value, name)
  return typeof member === 'number' && Number.isFinite(member) ? member : undefined
}

const byCode = (code: string, status: number | undefined): ProviderFault => {
  if (UNAVAILABLE.has(code) || BUSY.has(code) || (status ?? 0) >= 500)
    return { kind: 'unavailable', why: code }
  if (MISCONFIGURED.has(code)) return { kind: 'misconfigured', why: code }
  return { kind: 'refused', why: code }
}

const libraryCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** Error codes come from outside: what is not a plain word is not repeated. */
const plainCode = (code: string): string => (/^[a-z_]{1,60}$/.test(code) ? code : 'unknown_error')

/** The stable code of a fault, for the log. */
export const whyOf = (fault: ProviderFault): string => (fault.kind === 'answered' ? fault.error : fault.why)

/** The code of the page that tells a person about it. */
export const codeOf = (fault: ProviderFault): ErrorCode => {
  switch (fault.kind) {
    case 'unavailable':
      return 'PST-1007'
    case 'misconfigured':
      return 'PST-1008'
    case 'refused':
      return 'PST-1006'
    case 'clock':
      return 'PST-1020'
    case 'answered':
      return 'PST-1005'
  }
}
