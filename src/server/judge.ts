// Deciding the way back for sign-in, or telling about a refusal: the target with this browser's cookies, by the same walk
// as on the decision listener, traced so that a page can say what is missing. It writes no line: nobody asked for access
// yet.
import type { Carried } from '../identity/carried.ts'
import type { Authenticate, Verified } from '../identity/verified.ts'
import { denied, type Decision } from '../policy/decision.ts'
import { evaluate } from '../policy/evaluate.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { matchRoute, type Match } from '../policy/match.ts'
import { readPath } from '../policy/path-views.ts'
import type { HostName } from '../policy/host-pattern.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { ANONYMOUS } from '../policy/principal.ts'
import type { ReasonCode } from '../policy/reason.ts'
import type { Route, Section } from '../policy/route.ts'
import type { TracedRule } from '../policy/trace.ts'
import type { CurrentSession, DecideFor, Judged } from '../signin/deps.ts'
import type { ReturnTarget } from '../signin/return-to.ts'

export interface JudgeDeps {
  readonly policies: () => PolicySet
  readonly authenticate: Authenticate
  readonly readSession: (cookies: readonly string[], host: HostName) => CurrentSession
  /** Of sign-in: whose cookies a browser brings there. */
  readonly publicHost: HostName
  /** Ids of the providers that a route believes, in the order of the configuration. */
  readonly providersOf: (route: Route) => readonly string[]
  readonly nextId: () => string
  readonly nowMs: () => number
}

/** Makes the judge of sign-in targets. Never rejects. */
export const makeDecideFor = (deps: JudgeDeps): DecideFor => {
  return async (target, cookies, refusedMethod, cookieHost = deps.publicHost) => {
    // Asked last: what authentication learned of the session, or ended, is in it.
    const current = (): CurrentSession => deps.readSession(cookies, cookieHost)
    const facts = factsOf(target, refusedMethod)
    const match: Match = facts === undefined ? { kind: 'none' } : matchRoute(deps.policies(), facts)
    if (facts === undefined || match.kind !== 'matched')
      return judged(deps, denied('DENY_NO_ROUTE'), current(), undefined, [])
    const carried: Carried = {
      authorization: undefined,
      proxyAuthorization: undefined,
      apiKey: undefined,
      cookies,
    }
    const nowMs = deps.nowMs()
    const verified = new Map<Section, Verified>()
    for (const section of match.sections) {
      verified.set(
        section,
        await deps.authenticate(carried, { route: match.route, section, host: cookieHost, nowMs }),
      )
    }
    const rules: TracedRule[] = []
    const authenticationOf = (section: Section): Verified['authentication'] =>
      verified.get(section)?.authentication ?? ANONYMOUS
    const decision = evaluate(match, facts, authenticationOf, nowMs, (_, rule) => rules.push(rule))
    return judged(deps, decision, current(), match.route, rules)
  }
}

const factsOf = (target: ReturnTarget, refusedMethod: string | undefined): RequestFacts | undefined => {
  const [path = '/'] = target.pathAndQuery.split('?', 1)
  const reading = readPath(path)
  if (reading.kind === 'malformed') return undefined
  return {
    host: target.host,
    method: refusedMethod ?? 'GET',
    path: reading.path,
    preflight: false,
    origin: undefined,
    clientIp: undefined,
    ...(refusedMethod === undefined ? { networksUndecided: true as const } : {}),
  }
}

const judged = (
  deps: JudgeDeps,
  decision: Decision,
  current: CurrentSession,
  route: Route | undefined,
  rules: readonly TracedRule[],
): Judged => ({
  decision,
  decisionId: deps.nextId(),
  session: current.kind === 'session' ? current.session : undefined,
  owner: route?.owner,
  providers: route === undefined ? [] : deps.providersOf(route),
  rules,
  signInMayHelp: NOT_REFUSED_BY_RULE.has(decision.reason) && rules.some(awaitsCredential),
})

const NOT_REFUSED_BY_RULE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'DENY_NO_RULE',
  'DENY_RULE_EXPIRED',
])

const awaitsCredential = ({ rule, predicates }: TracedRule): boolean =>
  rule.effect === 'allow' && predicates.some(({ finding }) => finding === 'unknown')
