// What the sealed session cookie holds. Under 1 KB as a rule; never a token of the provider.
import type { ClaimValue, StepUpAttempt } from '../policy/principal.ts'

/** One signed-in browser. Written by sign-in (or `session mint`), sealed into the cookie, read at each cold decision. */
export interface Session {
  /** 128 random bits or more, base64url. */
  readonly id: string
  /** Id of the provider in the configuration. */
  readonly provider: string
  readonly subject: string
  /** The provider's own session id (`sid`, OIDC Back-Channel Logout §2.1). */
  readonly providerSession: string | undefined
  readonly authTimeSeconds: number
  readonly amr: readonly string[]
  readonly acr: string | undefined
  readonly issuedAtSeconds: number
  /** When the provider last said what is in here: at sign-in, or at a refresh since. */
  readonly learnedAtSeconds: number
  /** Absolute limit. */
  readonly expiresAtSeconds: number
  /** The state's rising number when it was minted: revocation of a subject or of all ends lower ones. */
  readonly revocationNumber: number
  /** Mapped name → value, only what policies, headers or `session.claims` read. */
  readonly claims: Readonly<Record<string, ClaimValue>>
  /** Names that were asked for, got or not: one that was asked for and not got is absent, not unknown. */
  readonly captured: readonly string[]
  /** Names that were asked for and came incomplete (`_claim_names`, over-long, control bytes): nobody can say. */
  readonly cut: readonly string[]
  /** Set where group values that no policy named were left out: the revision of the list of named groups. */
  readonly groupsRevision: string | undefined
  readonly emailVerified: boolean
  readonly stepUp: StepUpAttempt | undefined
}
