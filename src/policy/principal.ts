// Who is calling, after verification. A subject is unique only together with its source (OIDC Core §5.7).
import type { CredentialKind } from './credential-kind.ts'
import type { ReasonCode } from './reason.ts'

/** One claim as its source asserted it; objects never become claim values. */
export type ClaimScalar = string | number | boolean
export type ClaimValue = ClaimScalar | readonly ClaimScalar[]

/** A step-up that the caller already went through: the same unmet predicate is a miss for five minutes. */
export interface StepUpAttempt {
  /** `route#rule` of the rule that asked. */
  readonly rule: string
  readonly atSeconds: number
}

/**
 * The verified caller. Nothing in here comes from anything but the credential itself.
 * `assertable` names the claims that the source maps; `captured` those that this credential had room and reason
 * to carry; `cut` those whose value is known to be incomplete.
 */
export interface Principal {
  readonly kind: 'person' | 'machine'
  readonly credential: CredentialKind
  /** Id of the provider or issuer in the configuration. */
  readonly source: string
  readonly subject: string
  /** `client_id` or `azp` of an access token. */
  readonly client: string | undefined
  /** `namespace/name`, of tokens of an issuer of kind `kubernetes` alone, whatever another one's `sub` says. */
  readonly serviceAccount?: string
  /** Mapped name → value, e.g. `groups`, `email`, `user`, `name`. */
  readonly claims: ReadonlyMap<string, ClaimValue>
  readonly assertable: ReadonlySet<string>
  readonly captured: ReadonlySet<string> | 'every'
  readonly cut: ReadonlySet<string>
  /** False when group values were left out that a policy names today. */
  readonly groupsComplete: boolean
  /** Group values that no policy named were left out: what is there serves policy, and headers leave it out whole. */
  readonly groupsTrimmed?: boolean
  readonly emailVerified: boolean
  readonly amr: readonly string[]
  readonly acr: string | undefined
  readonly authTimeSeconds: number | undefined
  readonly multiFactor: boolean
  /** `acr_values` to ask for when a rule wants `mfa`. */
  readonly multiFactorAcr: readonly string[]
  readonly stepUp: StepUpAttempt | undefined
  readonly sessionId: string | undefined
  readonly expiresAtSeconds: number | undefined
}

/** What verification found. `anonymous` may say why a credential that was sent does not count. */
export type Authentication =
  | { readonly kind: 'anonymous'; readonly note: AnonymousNote | undefined }
  | { readonly kind: 'verified'; readonly principal: Principal }
  | {
      readonly kind: 'rejected'
      readonly reason: ReasonCode
      readonly credential: CredentialKind
      readonly why: string
    }
  | { readonly kind: 'unavailable'; readonly reason: ReasonCode; readonly why: string }
  | { readonly kind: 'ambiguous'; readonly why: string }

export type AnonymousNote =
  | 'expired'
  | 'revoked'
  /** A session whose provider was not asked for too long. */
  | 'stale'
  | 'two-sessions'
  | 'does-not-open'
  | 'not-believed'

export const ANONYMOUS: Authentication = { kind: 'anonymous', note: undefined }

/** The four states of a claim on a verified credential. */
export type ClaimState =
  | { readonly kind: 'present'; readonly values: readonly ClaimScalar[] }
  | { readonly kind: 'absent' | 'not-captured' | 'not-assertable' }

/**
 * Tells whether a claim is there, and if not, in which of the three ways it is missing.
 * @param principal a verified caller
 * @param name the mapped name that a policy uses
 * @returns `present` with its values; `absent`: the source would have said it; `not-captured`: this session was
 *   minted before anybody read it; `not-assertable`: nobody can say. Never throws.
 */
export const claimState = (principal: Principal, name: string): ClaimState => {
  if (principal.cut.has(name)) return { kind: 'not-assertable' }
  const value = principal.claims.get(name)
  if (value !== undefined) return { kind: 'present', values: typeof value === 'object' ? value : [value] }
  if (principal.kind === 'machine') return { kind: 'absent' }
  if (!principal.assertable.has(name)) return { kind: 'not-assertable' }
  if (principal.captured !== 'every' && !principal.captured.has(name)) return { kind: 'not-captured' }
  return { kind: 'absent' }
}

const FACTOR_CLASS: Readonly<Record<string, string>> = {
  pwd: 'knowledge',
  pin: 'knowledge',
  kba: 'knowledge',
  otp: 'possession',
  sms: 'possession',
  tel: 'possession',
  hwk: 'possession',
  swk: 'possession',
  sc: 'possession',
  pop: 'possession',
  fpt: 'inherence',
  face: 'inherence',
  iris: 'inherence',
  retina: 'inherence',
  vbm: 'inherence',
}

/**
 * The default meaning of `mfa: true`: `amr` has `mfa`, or two factors of different classes (RFC 8176 §2).
 * @param amr the methods that the provider reported. Never throws.
 */
export const hasTwoFactors = (amr: readonly string[]): boolean => {
  if (amr.includes('mfa')) return true
  const classes = new Set(
    amr.map((method) => (Object.hasOwn(FACTOR_CLASS, method) ? FACTOR_CLASS[method] : undefined)),
  )
  classes.delete(undefined)
  return classes.size >= 2
}
