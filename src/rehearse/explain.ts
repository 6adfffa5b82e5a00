// The walk of one request, told step by step: the very walk that the server takes, with a sink that keeps each rule.
// Plain data: text, JSON and the console print it.
import { closest } from '../policy/closest-word.ts'
import { denied, type Decision } from '../policy/decision.ts'
import { evaluateSections, type AuthenticationOf } from '../policy/evaluate.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { hostPatternText } from '../policy/host-pattern.ts'
import { matchRoute, type Match } from '../policy/match.ts'
import { sectionsOfHost, type PolicySet } from '../policy/policy-set.ts'
import type { Route, Section } from '../policy/route.ts'
import type { TracedRule } from '../policy/trace.ts'
import { callerIp, imagine, type Caller } from './caller.ts'
import { readImagined, type ImaginedRequest } from './imagined-request.ts'

/** How a decision is called in tests and reports. */
export type OutcomeName = 'allow' | 'deny' | 'challenge' | 'step-up' | 'indeterminate'

/** One section that some view of the path picked, with its rules as they were walked. */
export interface ExplainedSection {
  readonly section: Section
  /** The caller's credential counts here; false where there is none, or its kind is not accepted. */
  readonly believed: boolean
  readonly rules: readonly TracedRule[]
}

export interface Explanation {
  readonly request: ImaginedRequest
  readonly atMs: number
  readonly outcome: OutcomeName
  readonly decision: Decision
  /** The section that answered. */
  readonly answered: Section | undefined
  readonly route: Route | undefined
  readonly views: readonly string[]
  readonly sections: readonly ExplainedSection[]
  /** The allow that came closest, where nothing allowed. */
  readonly nearest: TracedRule | undefined
  /** What is to be said where no rule was asked. */
  readonly note: string | undefined
}

/**
 * Decides an imagined request of an imagined caller, and keeps the walk.
 * @returns an explanation for every request, malformed ones included; never throws
 */
export const explain = (
  set: PolicySet,
  request: ImaginedRequest,
  caller: Caller,
  nowMs: number,
): Explanation => {
  const reading = readImagined({ ...request, clientIp: request.clientIp ?? callerIp(caller) })
  return reading.kind === 'malformed'
    ? explainMalformed(request, nowMs, reading.why)
    : explainFacts(set, { request, facts: reading.facts }, (route) => imagine(caller, route, nowMs), nowMs)
}

/** The explanation of a request that is refused before any rule is asked. */
export const explainMalformed = (request: ImaginedRequest, atMs: number, note: string): Explanation => ({
  request,
  atMs,
  outcome: 'deny',
  decision: denied('DENY_BAD_REQUEST'),
  answered: undefined,
  route: undefined,
  views: [],
  sections: [],
  nearest: undefined,
  note,
})

/** What is known of the caller, once it is known which route he asks. */
export type CallerOf = (route: Route | undefined) => AuthenticationOf

/**
 * Decides a request by its facts, and keeps the walk.
 * @param asked the facts, and the request as it is shown
 * @param callerOf where the authentication comes from: imagined, or from a log
 * @returns an explanation; never throws
 */
export const explainFacts = (
  set: PolicySet,
  { request, facts }: { readonly request: ImaginedRequest; readonly facts: RequestFacts },
  callerOf: CallerOf,
  nowMs: number,
): Explanation => {
  const match = matchRoute(set, facts)
  const route = match.kind === 'matched' ? match.route : undefined
  const authenticationOf = callerOf(route)
  const walked = new Map<Section, TracedRule[]>()
  const { decision, section } = evaluateSections(match, facts, authenticationOf, nowMs, (where, rule) => {
    walked.set(where, [...(walked.get(where) ?? []), rule])
  })
  const sections = (match.kind === 'matched' ? match.sections : []).map((one) => ({
    section: one,
    believed: authenticationOf(one).kind === 'verified',
    rules: walked.get(one) ?? [],
  }))
  const rules = section === undefined ? [] : (walked.get(section) ?? [])
  return {
    request,
    atMs: nowMs,
    outcome: outcomeOf(decision),
    decision,
    answered: section,
    route,
    views: facts.path.views,
    sections,
    nearest: decision.reason === 'DENY_NO_RULE' ? nearestOf(rules) : undefined,
    note: noteOf(set, match, facts),
  }
}

/** `step-up` is the challenge that asks somebody known for more. */
const outcomeOf = (decision: Decision): OutcomeName =>
  decision.outcome === 'challenge' && decision.demand.kind === 'step-up' ? 'step-up' : decision.outcome

/** The allow of which most held; among equals the first. */
const nearestOf = (rules: readonly TracedRule[]): TracedRule | undefined => {
  const share = ({ predicates }: TracedRule): number =>
    predicates.filter((one) => one.finding === 'hit').length / predicates.length
  return rules
    .filter((one) => one.rule.effect === 'allow')
    .toSorted((one, other) => share(other) - share(one))
    .find((one) => share(one) > 0)
}

const noteOf = (set: PolicySet, match: Match, facts: RequestFacts): string | undefined => {
  switch (match.kind) {
    case 'matched':
      return undefined
    case 'conflict':
      return 'the path is read in several ways, which lead to different routes'
    case 'none': {
      if (sectionsOfHost(set, facts.host) !== undefined) return 'no section covers every reading of the path'
      const hosts = [...set.routes.values()].flatMap((route) => route.hosts.map(hostPatternText))
      const meant = closest(facts.host, hosts)
      return `no route owns the host \`${facts.host}\`${meant === undefined ? '' : ` (did you mean \`${meant}\`?)`}`
    }
  }
}
