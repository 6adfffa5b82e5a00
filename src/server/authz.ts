// The corridor on the wire: read → match → verify → evaluate → write. Whatever goes wrong in between ends in `deliver.ts`,
// with no access.
import type { IncomingMessage } from 'node:http'
import { stricterRuling, type Decide } from '../decide/decide.ts'
import type { Ruling } from '../decide/ruling.ts'
import { denied, type Decision } from '../policy/decision.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Answer } from '../proxy/answer.ts'
import { dialectOf } from '../proxy/dialect.ts'
import type { Exchange, ProxySettings, Refusal } from '../proxy/exchange.ts'
import { refusePeer, type JudgePeer } from '../proxy/trusted-peer.ts'
import type { RawHandler } from './decision-listener.ts'
import { bareAnswer, makeDelivery, type Asked, type DeliverDeps, type Outcome } from './deliver.ts'

export interface AuthzDeps extends DeliverDeps {
  readonly judgePeer: JudgePeer
  readonly settings: ProxySettings
  readonly policies: () => PolicySet
  readonly decide: Decide
  readonly nextId: () => string
  readonly writeDecision: (
    decision: Decision,
    exchange: Exchange,
    ruling: Ruling | undefined,
    id: string,
  ) => Answer
  readonly writeRefusal: (refusal: Refusal, id: string) => Answer
  /** True while the decision log cannot take another line: a route with `audit: strict` is not decided then. */
  readonly auditIsBehind: () => boolean
}

/**
 * Makes the one handler of the decision listener. Answers are written at the end of the turn in which they were decided,
 * and recorded after them. It never throws and never rejects: a part that breaks is told once, and answered with no
 * access, unless the answer is out already.
 */
export const makeAuthz = (deps: AuthzDeps): RawHandler => {
  const { finish, fail } = makeDelivery(deps)
  return (incoming, outgoing) => {
    let id = NO_ID
    try {
      id = deps.nextId()
      const asked: Asked = { incoming, outgoing, id, startedMs: deps.monotonicMs() }
      const outcome = conclude(deps, incoming, id)
      if (outcome instanceof Promise)
        return outcome.then((settled) => finish(asked, settled)).catch((error: unknown) => fail(asked, error))
      finish(asked, outcome)
    } catch (error) {
      fail({ incoming, outgoing, id, startedMs: Number.NaN }, error)
    }
    return undefined
  }
}

/** Where not even an id could be made. */
const NO_ID = 'none'

const conclude = (deps: AuthzDeps, incoming: IncomingMessage, id: string): Outcome | Promise<Outcome> => {
  const target = incoming.url ?? ''
  const dialect = dialectOf(target)
  if (dialect === undefined) return unknownPath(id)
  const { rawHeaders } = incoming
  const peer = deps.judgePeer(incoming.socket.remoteAddress, rawHeaders)
  if (peer.kind === 'untrusted') return refused(deps, refusePeer(dialect.name, peer.why), id)
  const reading = dialect.read({ method: incoming.method ?? '', target, rawHeaders }, deps.settings)
  if (reading.kind === 'refused') return refused(deps, reading, id)
  const set = deps.policies()
  const ruling = decideBoth(deps, set, reading)
  const answer = (settled: Ruling): Outcome => answered(deps, reading, settled, id, set.revision)
  return ruling instanceof Promise ? ruling.then(answer) : answer(ruling)
}

/** Decides on the reported host and, where the proxy says that it serves another one, on that too: the stricter counts. */
const decideBoth = (deps: AuthzDeps, set: PolicySet, exchange: Exchange): Ruling | Promise<Ruling> => {
  const nowMs = deps.nowMs()
  const reported = deps.decide(set, exchange.facts, exchange.carried, nowMs)
  if (exchange.servedFacts === undefined) return reported
  const served = deps.decide(set, exchange.servedFacts, exchange.carried, nowMs)
  if (!(reported instanceof Promise) && !(served instanceof Promise))
    return counting(exchange, reported, served)
  return Promise.all([asPromise(reported), asPromise(served)]).then(([one, other]) =>
    counting(exchange, one, other),
  )
}

/** A host of another route than the one that the decision URL asserts counts before anything: it is refused for it. */
const counting = (exchange: Exchange, reported: Ruling, served: Ruling): Ruling => {
  const astray = [reported, served].find((ruling) => isAstray(exchange, ruling))
  return astray ?? stricterRuling(reported, served)
}

const isAstray = ({ options }: Exchange, { route }: Ruling): boolean =>
  options.route !== undefined && options.route !== route?.id

const asPromise = async (ruling: Ruling | Promise<Ruling>): Promise<Ruling> => ruling

const answered = (
  deps: AuthzDeps,
  exchange: Exchange,
  ruling: Ruling,
  id: string,
  policyRevision: string,
): Outcome => {
  const decision = restrained(deps, exchange, ruling)
  return {
    answer: deps.writeDecision(decision, exchange, ruling, id),
    decision,
    reading: exchange,
    ruling,
    policyRevision,
    note: ruling.verified?.note,
  }
}

/** What the operator asserted in the decision URL, and what the log must be able to take, come before the ruling. */
const restrained = (deps: AuthzDeps, exchange: Exchange, ruling: Ruling): Decision => {
  const { decision, route } = ruling
  if (isAstray(exchange, ruling)) return denied('DENY_BAD_REQUEST', decision)
  if (route?.audit === 'strict' && deps.auditIsBehind()) {
    const { route: id, section, rule } = decision
    return {
      route: id,
      section,
      rule,
      outcome: 'indeterminate',
      reason: 'ERROR_AUDIT',
      why: 'the decision log is behind',
    }
  }
  return decision
}

const refused = (deps: AuthzDeps, refusal: Refusal, id: string): Outcome => ({
  answer: deps.writeRefusal(refusal, id),
  decision: denied(refusal.reason),
  reading: refusal,
  ruling: undefined,
  policyRevision: undefined,
  note: refusal.why,
})

const unknownPath = (id: string): Outcome => ({
  answer: bareAnswer(404, id),
  decision: denied('ERROR_INTEGRATION'),
  reading: undefined,
  ruling: undefined,
  policyRevision: undefined,
  note: 'the path is none of /authz/nginx, /authz/forward, /authz/ext',
})
