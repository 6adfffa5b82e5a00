// One test of one rule, in three values. The asymmetry is the law: what cannot be known hits in a deny and misses in
// an allow, so an error or a gap never opens a door.
import type { RequestFacts } from './facts.ts'
import { networkContains, parseIp } from './network.ts'
import { pathMatches } from './path-pattern.ts'
import { claimState, type ClaimScalar, type Principal } from './principal.ts'
import type { Predicate } from './rule.ts'

/** Why a predicate cannot be answered yet. */
export type Unknown =
  | { readonly kind: 'credential' }
  | { readonly kind: 'capture'; readonly claim: string }
  | {
      readonly kind: 'step-up'
      readonly maxAgeSeconds: number | undefined
      readonly acrValues: readonly string[]
    }

export type Finding = 'hit' | 'miss' | Unknown

/** Everything that a predicate may look at. */
export interface Situation {
  readonly facts: RequestFacts
  readonly principal: Principal | undefined
  readonly nowMs: number
  readonly effect: 'allow' | 'deny'
  /** The raw path lies in the section letter by letter and reads the same to everybody. */
  readonly bypassHolds: boolean
  /** The caller was asked to step up for this very rule, less than five minutes ago. */
  readonly steppedUp: boolean
}

const NO_CREDENTIAL: Unknown = { kind: 'credential' }

/**
 * Answers one predicate.
 * @returns `hit`, `miss`, or what would have to be known; never throws for facts and principals of their types
 */
export const testPredicate = (predicate: Predicate, now: Situation): Finding => {
  switch (predicate.kind) {
    case 'methods':
      return hitIf(methodMatches(predicate.anyOf, now.facts.method, now.effect))
    case 'paths':
      return hitIf(pathsMatch(predicate.anyOf, now))
    case 'until':
      return hitIf(now.nowMs < predicate.atMs)
    case 'preflight':
      return hitIf(now.facts.preflight)
    case 'from_networks':
      return testNetworks(predicate, now)
    case 'anyone':
      return now.effect === 'deny' || now.bypassHolds ? 'hit' : testIdentity(now, isPerson)
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
      return testIdentity(now, (principal) => testPrincipal(predicate, principal, now))
  }
}

const hitIf = (condition: boolean): Finding => (condition ? 'hit' : 'miss')

/**
 * GET includes HEAD. A handshake is no GET for an allow; a deny of GET holds for it all the same, since its headers
 * are a client's to write and whoever stands behind may answer it as the GET that it also is.
 */
const methodMatches = (methods: readonly string[], method: string, effect: Situation['effect']): boolean => {
  if (methods.includes(method)) return true
  if (!methods.includes('GET')) return false
  return method === 'HEAD' || (method === 'WEBSOCKET' && effect === 'deny')
}

const pathsMatch = (patterns: Extract<Predicate, { kind: 'paths' }>['anyOf'], now: Situation): boolean => {
  const inPattern = (view: string): boolean => patterns.some((pattern) => pathMatches(pattern, view))
  const views = now.facts.path.views
  return now.effect === 'allow' ? views.every(inPattern) : views.some(inPattern)
}

const notAssertable = (now: Situation): Finding => hitIf(now.effect === 'deny')

const testNetworks = (predicate: Extract<Predicate, { kind: 'from_networks' }>, now: Situation): Finding => {
  if (now.facts.networksUndecided === true) return hitIf(now.effect === 'allow')
  const address = now.facts.clientIp === undefined ? undefined : parseIp(now.facts.clientIp)
  if (address === undefined) return notAssertable(now)
  return hitIf(predicate.anyOf.some((network) => networkContains(network, address)))
}

/** Without a credential a deny misses, and an allow cannot be answered. */
const testIdentity = (now: Situation, test: (principal: Principal) => Finding): Finding => {
  if (now.principal !== undefined) return test(now.principal)
  return now.effect === 'deny' ? 'miss' : NO_CREDENTIAL
}

const isPerson = (principal: Principal): Finding => hitIf(principal.kind === 'person')

type IdentityPredicate = Exclude<
  Predicate,
  { kind: 'methods' | 'paths' | 'until' | 'preflight' | 'from_networks' | 'anyone' }
>

const testPrincipal = (predicate: IdentityPredicate, principal: Principal, now: Situation): Finding => {
  switch (predicate.kind) {
    case 'authenticated':
      return isPerson(principal)
    case 'users':
      return hitIf(predicate.anyOf.includes(`${principal.source}|${principal.subject}`))
    case 'clients':
      return hitIf(
        principal.client !== undefined && predicate.anyOf.includes(`${principal.source}|${principal.client}`),
      )
    case 'service_accounts':
      return hitIf(
        principal.serviceAccount !== undefined && predicate.anyOf.includes(principal.serviceAccount),
      )
    case 'emails':
      return testEmail(principal, now, (email) => predicate.anyOf.includes(email))
    case 'email_domains':
      return testEmail(principal, now, (email) => predicate.anyOf.includes(domainOf(email) ?? ''))
    case 'groups':
      return testGroups(principal, now, (has) => predicate.anyOf.some(has))
    case 'all_groups':
      return testGroups(principal, now, (has) => predicate.allOf.every(has))
    case 'claim':
      return testClaim(principal, predicate.name, now, (values) =>
        values.some((one) => predicate.anyOf.includes(one)),
      )
    case 'cred':
      return hitIf(predicate.anyOf.includes(principal.credential))
    case 'amr':
      return hitIf(principal.amr.some((method) => predicate.anyOf.includes(method)))
    case 'acr':
      return hitIf(principal.acr !== undefined && predicate.anyOf.includes(principal.acr))
    case 'mfa':
      return principal.multiFactor ? 'hit' : stepUp(principal, now, undefined, principal.multiFactorAcr)
    case 'auth_age':
      return testAge(principal, predicate.maxSeconds, now)
  }
}

const testClaim = (
  principal: Principal,
  name: string,
  now: Situation,
  matches: (values: readonly ClaimScalar[]) => boolean,
): Finding => {
  const state = claimState(principal, name)
  switch (state.kind) {
    case 'present':
      return hitIf(matches(state.values))
    case 'absent':
      return 'miss'
    case 'not-captured':
      return { kind: 'capture', claim: name }
    case 'not-assertable':
      return notAssertable(now)
  }
}

const testGroups = (
  principal: Principal,
  now: Situation,
  matches: (has: (group: string) => boolean) => boolean,
): Finding => {
  const found = testClaim(principal, 'groups', now, (values) => matches((group) => values.includes(group)))
  // Values were left out of the session before a policy named them: what is there counts, what is not is unknown.
  return found === 'miss' && !principal.groupsComplete ? { kind: 'capture', claim: 'groups' } : found
}

const testEmail = (principal: Principal, now: Situation, matches: (email: string) => boolean): Finding => {
  const state = claimState(principal, 'email')
  if (state.kind === 'present' && !principal.emailVerified) return notAssertable(now)
  return testClaim(principal, 'email', now, (values) =>
    values.some((one) => typeof one === 'string' && PRINTABLE_ASCII.test(one) && matches(one.toLowerCase())),
  )
}

/** Checked before any folding: the Kelvin sign folds to `k`. */
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/

/** The domain of an ASCII address with exactly one `@` (CVE-2026-40574); undefined otherwise. */
const domainOf = (email: string): string | undefined => {
  const [local, domain, ...rest] = email.split('@')
  return rest.length === 0 && local !== '' ? domain : undefined
}

const testAge = (principal: Principal, maxSeconds: number, now: Situation): Finding => {
  const age =
    principal.authTimeSeconds === undefined ? undefined : now.nowMs / 1000 - principal.authTimeSeconds
  return age !== undefined && age <= maxSeconds ? 'hit' : stepUp(principal, now, maxSeconds, [])
}

/** A machine cannot step up; a person who just did and still lacks it will not get it by asking again. */
const stepUp = (
  principal: Principal,
  now: Situation,
  maxAgeSeconds: number | undefined,
  acrValues: readonly string[],
): Finding =>
  principal.kind === 'machine' || now.steppedUp || now.effect === 'deny'
    ? 'miss'
    : { kind: 'step-up', maxAgeSeconds, acrValues }
