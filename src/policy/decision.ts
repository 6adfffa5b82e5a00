// Step 4's value. A decision always says which route, section, rule and reason it comes from.
import type { CredentialKind } from './credential-kind.ts'
import type { ReasonCode } from './reason.ts'

/** Where a decision was made; all undefined where no route owns the request. */
export interface Place {
  readonly route: string | undefined
  readonly section: string | undefined
  /** `route#rule` of the determining rule, or of the one that asks for more. */
  readonly rule: string | undefined
}

/** What the caller is asked for (RFC 6750 §3, RFC 9470 §3). */
export type Demand =
  | { readonly kind: 'credential'; readonly accepts: readonly CredentialKind[] }
  | {
      readonly kind: 'rejected'
      readonly accepts: readonly CredentialKind[]
      readonly credential: CredentialKind
      readonly why: string
    }
  | {
      readonly kind: 'reauth'
      readonly accepts: readonly CredentialKind[]
      readonly claims: readonly string[]
    }
  | {
      readonly kind: 'step-up'
      readonly accepts: readonly CredentialKind[]
      readonly rule: string
      readonly maxAgeSeconds: number | undefined
      readonly acrValues: readonly string[]
    }

export type Decision =
  | (Place & { readonly outcome: 'allow'; readonly reason: ReasonCode; readonly identity: 'caller' | 'none' })
  | (Place & { readonly outcome: 'challenge'; readonly reason: ReasonCode; readonly demand: Demand })
  | (Place & { readonly outcome: 'deny'; readonly reason: ReasonCode })
  | (Place & { readonly outcome: 'indeterminate'; readonly reason: ReasonCode; readonly why: string })

export const NOWHERE: Place = { route: undefined, section: undefined, rule: undefined }

const strictness = (decision: Decision): number => {
  switch (decision.outcome) {
    case 'allow':
      return 0
    case 'challenge':
      return decision.demand.kind === 'step-up' ? 1 : 2
    case 'deny':
      return 3
    case 'indeterminate':
      return 4
  }
}

/** The strictest of several answers: indeterminate > deny > challenge > step-up > allow; the first among equals. */
export const strictest = (first: Decision, ...rest: readonly Decision[]): Decision =>
  rest.reduce((kept, next) => (strictness(next) > strictness(kept) ? next : kept), first)

/** A deny that no rule wrote: no route, a malformed request, a conflict. */
export const denied = (reason: ReasonCode, place: Place = NOWHERE): Decision => {
  // Field by field: a decision is a place too, and its own outcome must not ride along.
  const { route, section, rule } = place
  return { route, section, rule, outcome: 'deny', reason }
}
