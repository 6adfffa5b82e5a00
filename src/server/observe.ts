// The last step: one line in the decision log, and the counters. After the answer is out; before it where each decision
// must be recorded, and there it throws where the line was not taken.
import { decisionFields, type DecisionRecord, type LogFields } from '../audit/record.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Route } from '../policy/route.ts'
import type { Exchange } from '../proxy/exchange.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Observed } from './deliver.ts'
import { makeFirstAllow } from './first-allow.ts'
import type { NetworkOf } from './network-labels.ts'

export interface ObserveDeps {
  readonly audit: Pick<AuditWriter, 'write'>
  readonly metrics: Pick<Metrics, 'decision' | 'credential'>
  /** Of the set in force, for requests that no set was asked about. */
  readonly policyRevision: () => string
  /** Label of the network that an address lies in. */
  readonly networkOf: NetworkOf
}

/** Makes the observer of decisions. It throws for a strict route whose line was not taken, which ends in no access. */
export const makeObserve = (deps: ObserveDeps): ((observed: Observed) => void) => {
  const isFirstAllow = makeFirstAllow()
  return (observed) => {
    const { decision, ruling, reading } = observed
    const network = reading?.kind === 'exchange' ? deps.networkOf(reading.facts.clientIp) : undefined
    deps.metrics.decision(
      decision.route,
      decision.outcome,
      decision.reason,
      observed.elapsedUs / 1e6,
      ruling?.cache ?? 'miss',
    )
    if (ruling?.cache === 'miss') countCredential(deps.metrics, observed)
    if (mayBeCounted(observed) && !isFirstAllow(observed, network)) return
    const isTaken = deps.audit.write(fieldsOf(observed, network, deps))
    if (!isTaken && isStrict(observed))
      throw new Error('the line of a route with `audit: strict` was not taken')
  }
}

const mayBeCounted = ({ decision, ruling }: Observed): boolean =>
  decision.outcome === 'allow' && ruling?.route?.log === 'changes'

const isStrict = ({ ruling }: Observed): boolean => ruling?.route?.audit === 'strict'

const countCredential = (metrics: Pick<Metrics, 'credential'>, observed: Observed): void => {
  const authentication = observed.ruling?.verified?.authentication
  if (authentication === undefined) return
  const kind =
    authentication.kind === 'verified'
      ? authentication.principal.credential
      : authentication.kind === 'rejected'
        ? authentication.credential
        : 'none'
  metrics.credential(kind, authentication.kind)
}

const fieldsOf = (observed: Observed, network: string | undefined, deps: ObserveDeps): LogFields => {
  const { reading, ruling } = observed
  const { dialect, requestId, userAgent } = reading ?? UNREAD
  const { facts, servedHost, assertedRoute, query, peer } = requestOf(observed)
  return decisionFields({
    nowMs: observed.nowMs,
    id: observed.id,
    status: observed.status,
    decision: observed.decision,
    dialect,
    requestId,
    userAgent,
    facts,
    servedHost,
    assertedRoute,
    query,
    peer,
    network,
    authentication: ruling?.verified?.authentication,
    readClaims: ruling?.route === undefined ? NO_CLAIMS : claimsReadBy(ruling.route),
    policyRevision: observed.policyRevision ?? deps.policyRevision(),
    cache: ruling?.cache,
    elapsedUs: observed.elapsedUs,
    note: observed.note,
  })
}

const UNREAD = { dialect: undefined, requestId: undefined, userAgent: undefined }
const NO_CLAIMS: readonly string[] = []
const claimsOfRoutes = new WeakMap<Route, readonly string[]>()

/** Claims that the rules of any section read: several sections may have been walked, and whoever decides again walks them all. */
const claimsReadBy = (route: Route): readonly string[] => {
  const known = claimsOfRoutes.get(route)
  if (known !== undefined) return known
  const claims = [...new Set(route.sections.flatMap(({ reads }) => reads.claims))].toSorted()
  claimsOfRoutes.set(route, claims)
  return claims
}

type RequestPart = Pick<DecisionRecord, 'facts' | 'servedHost' | 'assertedRoute' | 'query' | 'peer'>

const requestOf = ({ reading, ruling, peer }: Observed): RequestPart =>
  reading?.kind === 'exchange'
    ? {
        facts: reading.facts,
        servedHost: reading.servedFacts?.host,
        assertedRoute: reading.options.route === ruling?.route?.id ? undefined : reading.options.route,
        query: queryOf(reading),
        peer: undefined,
      }
    : { facts: undefined, servedHost: undefined, assertedRoute: undefined, query: undefined, peer }

const queryOf = (exchange: Exchange): string | undefined => {
  const { pathAndQuery } = exchange.target
  const question = pathAndQuery.indexOf('?')
  return question < 0 ? undefined : pathAndQuery.slice(question + 1)
}
