// Step 4, and the only place where an allow is made. Pure: no clock, no I/O. Deny beats allow; what errs in a deny
// denies; nothing matching is deny.
import { allowsToWalk } from './allow-index.ts'
import { denied, strictest, type Decision, type Demand, type Place } from './decision.ts'
import type { RequestFacts } from './facts.ts'
import { hostMatches, normalizeHost } from './host-pattern.ts'
import type { Match } from './match.ts'
import { rawPathMatches } from './path-pattern.ts'
import type { Unknown } from './predicate.ts'
import type { Authentication, Principal } from './principal.ts'
import type { ReasonCode } from './reason.ts'
import type { Route, Section } from './route.ts'
import { bypassKind, type Rule } from './rule.ts'
import type { TraceSink } from './trace.ts'
import { makeWalk, walkRule, type Walk, type Walked } from './walk-rule.ts'

/** The authentication that a section's own `accepts` led to. */
export type AuthenticationOf = (section: Section) => Authentication

/**
 * Decides one request: every section that some view of its path picks is walked, and the strictest outcome answers.
 * @param match step 2's value
 * @param facts the request
 * @param authenticationOf step 3's value for each section of the match
 * @param nowMs epoch milliseconds, by the caller's clock
 * @param trace receives each rule as it is walked; an offline caller only
 * @returns a decision; never throws for values of these types
 */
export const evaluate = (
  match: Match,
  facts: RequestFacts,
  authenticationOf: AuthenticationOf,
  nowMs: number,
  trace?: TraceSink,
): Decision => evaluateSections(match, facts, authenticationOf, nowMs, trace).decision

/** A decision and the section whose walk made it. */
export interface Verdict {
  readonly decision: Decision
  readonly section: Section | undefined
}

/** The same as `evaluate`, with the section that answered. */
export const evaluateSections = (
  match: Match,
  facts: RequestFacts,
  authenticationOf: AuthenticationOf,
  nowMs: number,
  trace?: TraceSink,
): Verdict => {
  switch (match.kind) {
    case 'none':
      return { decision: denied('DENY_NO_ROUTE'), section: undefined }
    case 'conflict':
      return { decision: denied('DENY_BAD_REQUEST'), section: undefined }
    case 'matched': {
      const [first, ...others] = match.sections
      const verdict = (section: Section): Verdict => ({
        decision: originIsForeign(match.route, facts)
          ? denied('DENY_ORIGIN', placeOf(section))
          : settle(section, facts, authenticationOf(section), nowMs, trace),
        section,
      })
      return others.map(verdict).reduce(stricterVerdict, verdict(first))
    }
  }
}

const stricterVerdict = (kept: Verdict, next: Verdict): Verdict =>
  strictest(kept.decision, next.decision) === kept.decision ? kept : next

const placeOf = (section: Section, rule?: Rule): Place => ({
  route: section.route,
  section: section.path.text,
  rule: rule?.name,
})

/** Cross-site WebSocket hijacking: a browser names its page's origin, and only ours may connect (RFC 6455 §10.2). */
const originIsForeign = (route: Route, facts: RequestFacts): boolean => {
  if (facts.method !== 'WEBSOCKET' || facts.origin === undefined) return false
  if (route.origins !== undefined) return !route.origins.includes(facts.origin.toLowerCase())
  const authority = /^https?:\/\/([^/]*)$/i.exec(facts.origin)?.[1]
  const host = authority === undefined ? undefined : normalizeHost(authority)
  return host === undefined || !route.hosts.some((pattern) => hostMatches(pattern, host))
}

/** Maps what verification found to a walk, and what the walk found to a decision. */
const settle = (
  section: Section,
  facts: RequestFacts,
  authentication: Authentication,
  nowMs: number,
  trace: TraceSink | undefined,
): Decision => {
  const walk = (principal: Principal | undefined): Decision =>
    walkRules(section, facts, principal, nowMs, trace)
  switch (authentication.kind) {
    case 'verified':
      return walk(authentication.principal)
    case 'ambiguous':
      return denied('DENY_CRED_AMBIGUOUS', placeOf(section))
    case 'anonymous':
      return withNote(walk(undefined), authentication.note)
    case 'rejected': {
      // A bad credential never opens more than none: the open door stays open, everything else says what was wrong.
      const open = walk(undefined)
      const { credential, why, reason } = authentication
      if (open.outcome === 'deny' || open.reason === 'ALLOW_PUBLIC') return open
      const { route, section: path, rule } = open
      const demand: Demand = { kind: 'rejected', accepts: section.accepts, credential, why }
      return { route, section: path, rule, outcome: 'challenge', reason, demand }
    }
    case 'unavailable': {
      const open = walk(undefined)
      if (open.outcome === 'allow' || open.outcome === 'deny') return open
      return {
        ...placeOf(section),
        outcome: 'indeterminate',
        reason: authentication.reason,
        why: authentication.why,
      }
    }
  }
}

const withNote = (
  decision: Decision,
  note: Extract<Authentication, { kind: 'anonymous' }>['note'],
): Decision => {
  if (decision.outcome !== 'challenge' || decision.reason !== 'CHALLENGE_NO_CREDENTIAL') return decision
  if (note === 'expired') return { ...decision, reason: 'CHALLENGE_EXPIRED' }
  if (note === 'stale') {
    const demand: Demand = { kind: 'reauth', accepts: decision.demand.accepts, claims: [] }
    return { ...decision, reason: 'CHALLENGE_REAUTH', demand }
  }
  return note === 'revoked' ? { ...decision, reason: 'DENY_CRED_REVOKED' } : decision
}

const walkRules = (
  section: Section,
  facts: RequestFacts,
  principal: Principal | undefined,
  nowMs: number,
  trace: TraceSink | undefined,
): Decision => {
  const common = { facts, principal, nowMs, bypassHolds: bypassHolds(section, facts) }
  const walk = makeWalk(section, common, trace)
  const denies = section.deny.map((rule) => walkRule(rule, walk))
  const hit = denies.find((one) => one.finding === 'hit')
  // A trace shows every rule; whoever only decides stops where nothing more can change.
  const allowRules = trace === undefined ? allowsToWalk(section, principal) : section.allow
  const allows = hit === undefined || trace !== undefined ? walkAllows(allowRules, walk) : []
  if (hit !== undefined)
    return denied(hit.erred ? 'DENY_CONDITION_ERROR' : 'DENY_RULE', placeOf(section, hit.rule))
  const unread = denies.find((one) => typeof one.finding === 'object')
  if (unread !== undefined) return challenge(section, unread)
  const allowed = allows.find((one) => one.finding === 'hit')
  if (allowed !== undefined) return allow(section, allowed.rule)
  const asking = mostBasic(allows)
  if (asking !== undefined) return challenge(section, asking)
  return denied(nothingAllowed(allows), placeOf(section))
}

/** Up to the first hit, where nobody wants to see the others. */
const walkAllows = (rules: readonly Rule[], walk: Walk): readonly Walked[] => {
  const walked: Walked[] = []
  for (const rule of rules) {
    const one = walkRule(rule, walk)
    walked.push(one)
    if (one.finding === 'hit' && walk.trace === undefined) break
  }
  return walked
}

/**
 * Tells whether a bypass (`anyone`, network-only) may hold: the raw path lies in the section letter by letter, and
 * reads the same to everybody. Never throws.
 */
export const bypassHolds = (section: Section, facts: RequestFacts): boolean =>
  section.reads.bypass && !facts.path.opaque && rawPathMatches(section.path, facts.path.raw)

const nothingAllowed = (allows: readonly Walked[]): ReasonCode => {
  if (allows.some((one) => one.erred)) return 'DENY_CONDITION_ERROR'
  return allows.some((one) => one.expired) ? 'DENY_RULE_EXPIRED' : 'DENY_NO_RULE'
}

/** The tiers in which a caller is asked: first who he is, then what his session lacks, then a stronger proof. */
const mostBasic = (allows: readonly Walked[]): Walked | undefined => {
  const asks = (kind: Unknown['kind']): Walked | undefined =>
    allows.find((one) => typeof one.finding === 'object' && one.finding.kind === kind)
  return asks('credential') ?? asks('capture') ?? asks('step-up')
}

/** One object for each rule that allowed: a cache keeps many of them, and they say the same. */
const allowedBy = new WeakMap<Rule, Decision>()

const allow = (section: Section, rule: Rule): Decision => {
  const known = allowedBy.get(rule)
  if (known?.route === section.route && known.section === section.path.text) return known
  const bypass = bypassKind(rule)
  const reason: ReasonCode =
    bypass === 'network' ? 'ALLOW_LEGACY_NETWORK' : bypass === undefined ? 'ALLOW_RULE' : 'ALLOW_PUBLIC'
  const decision: Decision = {
    ...placeOf(section, rule),
    outcome: 'allow',
    reason,
    identity: bypass === 'preflight' ? 'none' : 'caller',
  }
  allowedBy.set(rule, decision)
  return decision
}

const challenge = (section: Section, walked: Walked): Decision => {
  const unknown = walked.finding
  if (typeof unknown === 'string') return denied('DENY_NO_RULE', placeOf(section, walked.rule))
  return {
    ...placeOf(section, walked.rule),
    outcome: 'challenge',
    reason: CHALLENGE_REASON[unknown.kind],
    demand: demandFor(unknown, section, walked.rule),
  }
}

const CHALLENGE_REASON = {
  credential: 'CHALLENGE_NO_CREDENTIAL',
  capture: 'CHALLENGE_REAUTH',
  'step-up': 'CHALLENGE_MFA',
} as const satisfies Readonly<Record<Unknown['kind'], ReasonCode>>

const demandFor = (unknown: Unknown, section: Section, rule: Rule): Demand => {
  const { accepts } = section
  switch (unknown.kind) {
    case 'credential':
      return { kind: 'credential', accepts }
    case 'capture':
      return { kind: 'reauth', accepts, claims: [unknown.claim] }
    case 'step-up':
      return {
        kind: 'step-up',
        accepts,
        rule: rule.name,
        maxAgeSeconds: unknown.maxAgeSeconds,
        acrValues: unknown.acrValues,
      }
  }
}
