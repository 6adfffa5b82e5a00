// The last step, after the answer is out: one line in the decision log, and the counters. Never throws at a request.
import { decisionFields, type DecisionRecord, type LogFields } from '../audit/record.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { networkContains, parseIp, type Network } from '../policy/network.ts'
import type { Exchange } from '../proxy/exchange.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Observed } from './authz.ts'
import { makeFirstAllow } from './first-allow.ts'

/** A network with the name that the directory gives it. */
export interface LabelledNetwork {
  readonly label: string
  readonly network: Network
}

export interface ObserveDeps {
  readonly audit: AuditWriter
  readonly metrics: Metrics
  /** Of the set in force, for requests that no set was asked about. */
  readonly policyRevision: () => string
  readonly networks: () => readonly LabelledNetwork[]
}

/** Makes the observer of decisions. */
export const makeObserve = (deps: ObserveDeps): ((observed: Observed) => void) => {
  const isFirstAllow = makeFirstAllow()
  return (observed) => {
    const { decision, ruling } = observed
    deps.metrics.decision(
      decision.route,
      decision.outcome,
      decision.reason,
      observed.elapsedUs / 1e6,
      ruling?.cache ?? 'miss',
    )
    if (ruling?.cache === 'miss') countCredential(deps.metrics, observed)
    if (decision.outcome === 'allow' && ruling?.route?.log === 'changes' && !isFirstAllow(observed)) return
    deps.audit.write(fieldsOf(observed, deps))
  }
}

const countCredential = (metrics: Metrics, observed: Observed): void => {
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

const fieldsOf = (observed: Observed, deps: ObserveDeps): LogFields => {
  const { reading, ruling } = observed
  return decisionFields({
    nowMs: observed.nowMs,
    id: observed.id,
    status: observed.status,
    decision: observed.decision,
    dialect: reading?.dialect,
    requestId: reading?.requestId,
    userAgent: reading?.userAgent,
    ...requestOf(reading, deps.networks),
    authentication: ruling?.verified?.authentication,
    readClaims: ruling?.section?.reads.claims ?? [],
    policyRevision: observed.policyRevision ?? deps.policyRevision(),
    cache: ruling?.cache,
    elapsedUs: observed.elapsedUs,
    note: observed.note,
  })
}

const requestOf = (
  reading: Observed['reading'],
  networks: ObserveDeps['networks'],
): Pick<DecisionRecord, 'facts' | 'query' | 'network'> => {
  if (reading?.kind !== 'exchange') return { facts: undefined, query: undefined, network: undefined }
  return {
    facts: reading.facts,
    query: queryOf(reading),
    network: labelOf(reading.facts.clientIp, networks()),
  }
}

const queryOf = (exchange: Exchange): string | undefined => {
  const { pathAndQuery } = exchange.target
  const question = pathAndQuery.indexOf('?')
  return question < 0 ? undefined : pathAndQuery.slice(question + 1)
}

/** The first label of the directory whose network holds the address. */
export const labelOf = (
  clientIp: string | undefined,
  networks: readonly LabelledNetwork[],
): string | undefined => {
  if (clientIp === undefined || networks.length === 0) return undefined
  const address = parseIp(clientIp)
  return address === undefined
    ? undefined
    : networks.find(({ network }) => networkContains(network, address))?.label
}
