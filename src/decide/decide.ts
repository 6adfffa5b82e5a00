// Steps 2 to 4 on one screen: match, verify under what the matched sections accept, evaluate.
import type { Carried } from '../identity/carried.ts'
import type { Authenticate, Verified } from '../identity/verified.ts'
import { strictest, type Decision } from '../policy/decision.ts'
import { evaluate, evaluateSections } from '../policy/evaluate.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { matchRoute, type Match } from '../policy/match.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { ANONYMOUS, type Authentication } from '../policy/principal.ts'
import type { Route, Section } from '../policy/route.ts'
import type { Prepared, PrepareIdentity, Ruling } from './ruling.ts'

export interface DecideDeps {
  readonly authenticate: Authenticate
  readonly prepareIdentity: PrepareIdentity
}

export type Matched = Extract<Match, { kind: 'matched' }>

/** Settles a matched request. Synchronous wherever verification is. Never throws, never rejects. */
export type Settle = (
  matched: Matched,
  facts: RequestFacts,
  carried: Carried,
  nowMs: number,
) => Ruling | Promise<Ruling>

/** Decides one request under one policy set. */
export type Decide = (
  set: PolicySet,
  facts: RequestFacts,
  carried: Carried,
  nowMs: number,
) => Ruling | Promise<Ruling>

/**
 * Joins match and settle: an unknown host costs no crypto, and an unmatched request is denied without a caller.
 * @param settle `makeSettle`, or the same behind a cache
 */
export const makeDecide =
  (settle: Settle): Decide =>
  (set, facts, carried, nowMs) => {
    const match = matchRoute(set, facts)
    if (match.kind === 'matched') return settle(match, facts, carried, nowMs)
    const decision = evaluate(match, facts, () => ANONYMOUS, nowMs)
    return unprepared(decision, undefined, undefined, undefined)
  }

const NO_HEADERS: readonly string[] = []

const unprepared = (
  decision: Decision,
  route: Route | undefined,
  section: Section | undefined,
  verified: Verified | undefined,
): Ruling => ({
  decision,
  route,
  section,
  verified,
  identityHeaders: NO_HEADERS,
  preparedUntilMs: Number.POSITIVE_INFINITY,
  cache: 'miss',
})

/**
 * Verifies the caller under each matched section, evaluates, and prepares the headers of an allow.
 * @param deps what verifies and what prepares; both may be asynchronous
 */
export const makeSettle = (deps: DecideDeps): Settle => {
  return (matched, facts, carried, nowMs) => {
    const { route, sections } = matched
    const verifying = sections.map((section) =>
      deps.authenticate(carried, { route, section, host: facts.host, nowMs }),
    )
    const conclude = (verified: readonly Verified[]): Ruling | Promise<Ruling> =>
      rule(deps.prepareIdentity, matched, facts, verified, nowMs)
    const known = verifying.filter((one): one is Verified => !(one instanceof Promise))
    return known.length === verifying.length
      ? conclude(known)
      : Promise.all(verifying.map(async (one) => one)).then(conclude)
  }
}

const rule = (
  prepareIdentity: PrepareIdentity,
  matched: Matched,
  facts: RequestFacts,
  verified: readonly Verified[],
  nowMs: number,
): Ruling | Promise<Ruling> => {
  const { route, sections } = matched
  const verifiedOf = (section: Section): Verified | undefined => verified[sections.indexOf(section)]
  const authenticationOf = (section: Section): Authentication =>
    verifiedOf(section)?.authentication ?? ANONYMOUS
  const { decision, section = sections[0] } = evaluateSections(matched, facts, authenticationOf, nowMs)
  const caller = verifiedOf(section)
  const ruling = unprepared(decision, route, section, caller)
  if (decision.outcome !== 'allow' || caller === undefined) return ruling
  const withHeaders = (prepared: Prepared): Ruling => ({
    ...ruling,
    identityHeaders: prepared.headers,
    preparedUntilMs: prepared.untilMs,
  })
  const prepared = prepareIdentity(route, section, caller, decision.identity)
  return prepared instanceof Promise ? prepared.then(withHeaders) : withHeaders(prepared)
}

/** The stricter of two rulings; the second where they are equally strict. */
export const stricterRuling = (first: Ruling, second: Ruling): Ruling =>
  strictest(second.decision, first.decision) === first.decision ? first : second
