// What `explain`, the denied page and the replay see of a walk: the same walk, told step by step.
import type { Finding, Situation } from './predicate.ts'
import type { Section } from './route.ts'
import type { Predicate, Rule } from './rule.ts'
import { claimOf } from './read-set.ts'
import { claimState, type ClaimState, type Principal } from './principal.ts'

/** One predicate with what the rule wants, what the request has, and how it came out. */
export interface TracedPredicate {
  readonly kind: string
  readonly wants: string
  readonly has: string
  readonly finding: 'hit' | 'miss' | 'unknown' | 'error'
  readonly needs: string | undefined
}

export interface TracedRule {
  readonly rule: Rule
  readonly finding: 'hit' | 'miss' | 'unknown' | 'error'
  readonly predicates: readonly TracedPredicate[]
}

/** Receives each rule of a walk, in order. A walk with a sink tests every predicate; one without stops early. */
export type TraceSink = (section: Section, rule: TracedRule) => void

/** The text of what a predicate wants, in the words of the policy language. */
export const wantsText = (predicate: Predicate): string => {
  switch (predicate.kind) {
    case 'paths':
      return predicate.anyOf.map((pattern) => (pattern.below ? `${pattern.text}/**` : pattern.text)).join('|')
    case 'until':
      return predicate.text
    case 'from_networks':
      return predicate.labels.join('|')
    case 'all_groups':
      return predicate.allOf.join('+')
    case 'claim':
      return `${predicate.name}=${predicate.anyOf.map((value) => JSON.stringify(value)).join('|')}`
    case 'auth_age':
      return `${predicate.maxSeconds}s`
    case 'anyone':
    case 'authenticated':
    case 'preflight':
    case 'mfa':
      return 'true'
    case 'methods':
    case 'users':
    case 'clients':
    case 'service_accounts':
    case 'emails':
    case 'email_domains':
    case 'groups':
    case 'cred':
    case 'amr':
    case 'acr':
      return predicate.anyOf.join('|')
  }
}

/** The text of what the request has in the place where a predicate looks. Holds no secret: facts and claims only. */
export const hasText = (predicate: Predicate, now: Situation): string => {
  const { facts, principal } = now
  switch (predicate.kind) {
    case 'methods':
      return facts.method
    case 'paths':
      return facts.path.views.join(' ')
    case 'until':
      return new Date(now.nowMs).toISOString()
    case 'preflight':
      return String(facts.preflight)
    case 'from_networks':
      return facts.clientIp ?? 'unknown address'
    case 'anyone':
      return now.bypassHolds ? 'anybody' : 'a path that is read in more than one way'
    case 'authenticated':
    case 'users':
    case 'clients':
    case 'service_accounts':
    case 'emails':
    case 'email_domains':
    case 'groups':
    case 'all_groups':
    case 'claim':
    case 'cred':
    case 'amr':
    case 'acr':
    case 'mfa':
    case 'auth_age':
      return principal === undefined ? 'no credential' : principalText(predicate, principal, now)
  }
}

/** Read behind `has`: a caller who could have the claim and does not has none. */
const lackText = (kind: Exclude<ClaimState['kind'], 'present'>): string => (kind === 'absent' ? 'none' : kind)

const principalText = (predicate: Predicate, principal: Principal, now: Situation): string => {
  const claim = claimOf(predicate)
  if (claim !== undefined) {
    const state = claimState(principal, claim)
    const verified = claim !== 'email' || principal.emailVerified ? '' : ' (not verified)'
    return state.kind === 'present' ? state.values.join(',') + verified : lackText(state.kind)
  }
  switch (predicate.kind) {
    case 'users':
      return `${principal.source}|${principal.subject}`
    case 'clients':
      return principal.client === undefined ? 'no client' : `${principal.source}|${principal.client}`
    case 'service_accounts':
      return principal.serviceAccount ?? 'no service account'
    case 'cred':
      return principal.credential
    case 'amr':
    case 'mfa':
      return principal.amr.join(',') || 'no amr'
    case 'acr':
      return principal.acr ?? 'no acr'
    case 'auth_age':
      return principal.authTimeSeconds === undefined
        ? 'no auth_time'
        : `${Math.floor(now.nowMs / 1000 - principal.authTimeSeconds)}s`
    case 'methods':
    case 'paths':
    case 'until':
    case 'preflight':
    case 'from_networks':
    case 'anyone':
    case 'authenticated':
    case 'emails':
    case 'email_domains':
    case 'groups':
    case 'all_groups':
    case 'claim':
      return principal.kind
  }
}

/** Sums up a finding for a person. */
export const findingText = (finding: Finding): TracedPredicate['finding'] =>
  typeof finding === 'string' ? finding : 'unknown'

/** What an unknown finding would need to be answered. */
export const needsText = (finding: Finding): string | undefined => {
  if (typeof finding === 'string') return undefined
  switch (finding.kind) {
    case 'credential':
      return 'a credential'
    case 'capture':
      return `claim ${finding.claim}, which this session did not capture`
    case 'step-up':
      return 'a step-up'
  }
}
