// A rule is data: predicates are a union, not closures, so that checks, diffs and explanations can read them.
import type { CredentialKind } from './credential-kind.ts'
import type { Network } from './network.ts'
import type { PathPattern } from './path-pattern.ts'
import type { ClaimScalar } from './principal.ts'

/** One test of a rule. All predicates of a rule must hit; the values inside one are alternatives. */
export type Predicate =
  | { readonly kind: 'methods'; readonly anyOf: readonly string[] }
  | { readonly kind: 'paths'; readonly anyOf: readonly PathPattern[] }
  | { readonly kind: 'until'; readonly atMs: number; readonly text: string }
  | { readonly kind: 'preflight' }
  | { readonly kind: 'from_networks'; readonly anyOf: readonly Network[]; readonly labels: readonly string[] }
  | { readonly kind: 'anyone' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'users'; readonly anyOf: readonly string[] }
  | { readonly kind: 'clients'; readonly anyOf: readonly string[] }
  /** `namespace/name` each. */
  | { readonly kind: 'service_accounts'; readonly anyOf: readonly string[] }
  | { readonly kind: 'emails'; readonly anyOf: readonly string[] }
  | { readonly kind: 'email_domains'; readonly anyOf: readonly string[] }
  | { readonly kind: 'groups'; readonly anyOf: readonly string[] }
  | { readonly kind: 'all_groups'; readonly allOf: readonly string[] }
  | { readonly kind: 'claim'; readonly name: string; readonly anyOf: readonly ClaimScalar[] }
  | { readonly kind: 'cred'; readonly anyOf: readonly CredentialKind[] }
  | { readonly kind: 'amr'; readonly anyOf: readonly string[] }
  | { readonly kind: 'acr'; readonly anyOf: readonly string[] }
  | { readonly kind: 'mfa' }
  | { readonly kind: 'auth_age'; readonly maxSeconds: number }

export type PredicateKind = Predicate['kind']

/** One allow or deny line. */
export interface Rule {
  readonly id: string
  /** `route#id`: unique over the policy set, as the decision log names it. */
  readonly name: string
  readonly effect: 'allow' | 'deny'
  readonly predicates: readonly Predicate[]
  /** The section that wrote it; differs from the section that applies it where a deny is inherited. */
  readonly from: string
  readonly why: string | undefined
  /** Last day on which `check` is content with an `anyone` rule that has no end. */
  readonly review: string | undefined
}

/** Predicates that say who calls. An allow needs one of them; a deny does not. */
export const SUBJECT_KINDS: ReadonlySet<PredicateKind> = new Set<PredicateKind>([
  'preflight',
  'from_networks',
  'anyone',
  'authenticated',
  'users',
  'clients',
  'service_accounts',
  'emails',
  'email_domains',
  'groups',
  'all_groups',
  'claim',
])

const IDENTITY_KINDS: ReadonlySet<PredicateKind> = new Set<PredicateKind>([
  'authenticated',
  'users',
  'clients',
  'service_accounts',
  'emails',
  'email_domains',
  'groups',
  'all_groups',
  'claim',
  'cred',
  'amr',
  'acr',
  'mfa',
  'auth_age',
])

/**
 * Tells which kind of bypass an allow is: it lets somebody in whom no credential vouches for.
 * @returns `public` for `anyone`, `preflight`, `network` for a rule whose only subject is `from_networks`.
 */
export const bypassKind = (rule: Rule): 'public' | 'preflight' | 'network' | undefined => {
  if (rule.predicates.some((predicate) => IDENTITY_KINDS.has(predicate.kind))) return undefined
  const has = (kind: PredicateKind): boolean => rule.predicates.some((predicate) => predicate.kind === kind)
  if (has('preflight')) return 'preflight'
  if (has('from_networks')) return 'network'
  return has('anyone') ? 'public' : undefined
}
