// The corridor on the wire: read → match → verify → evaluate → write, and then observe. Whatever goes wrong in between
// is told, counted, and answered with no access.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { stricterRuling, type Decide } from '../decide/decide.ts'
import type { Ruling } from '../decide/ruling.ts'
import { denied, type Decision } from '../policy/decision.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Answer } from '../proxy/answer.ts'
import { dialectOf } from '../proxy/dialect.ts'
import type { Exchange, ProxySettings, Refusal } from '../proxy/exchange.ts'
import { refusePeer, type JudgePeer } from '../proxy/trusted-peer.ts'
import type { RawHandler } from './decision-listener.ts'
import { makeSendAnswer, type SendAnswer } from './send-answer.ts'
import { makeTurnBatch, type Defer } from './turn-batch.ts'

/** One decided request, for the log and the metrics. Written after the answer. */
export interface Observed {
  readonly id: string
  readonly status: number
  readonly decision: Decision
  /** What was read; undefined where the path speaks no dialect. */
  readonly reading: Exchange | Refusal | undefined
  readonly ruling: Ruling | undefined
  /** Address of the socket; undefined where it is gone. */
  readonly peer: string | undefined
  /** Of the set that decided: another one may be in force by now. */
  readonly policyRevision: string | undefined
  readonly elapsedUs: number
  readonly nowMs: number
  /** Why a request was refused before policy, or what failed; no value of a credential. */
  readonly note: string | undefined
}

export interface AuthzDeps {
  readonly judgePeer: JudgePeer
  readonly settings: ProxySettings
  readonly policies: () => PolicySet
  readonly decide: Decide
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs: () => number
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
  readonly observe: (observed: Observed) => void
  readonly onFault: (error: unknown) => void
  /** When answers are written; without it at the end of the turn. */
  readonly defer?: Defer
}

/**
 * Makes the one handler of the decision listener. Answers are written at the end of the turn in which they were decided,
 * and recorded after them. It never throws and never rejects: a part that breaks is told once, and answered with no
 * access, unless the answer is out already.
 */
export const makeAuthz = (deps: AuthzDeps): RawHandler => {
  const parts: Sending = { ...deps, send: makeSendAnswer(deps.nowMs) }
  const finishLater = makeTurnBatch<Concluded>((all) => finishAll(parts, all), deps.defer)
  return (incoming, outgoing) => {
    let id = NO_ID
    try {
      id = deps.nextId()
      const asked: Asked = { incoming, outgoing, id, startedMs: deps.monotonicMs() }
      const outcome = conclude(deps, incoming, id)
      if (outcome instanceof Promise)
        return outcome
          .then((settled) => finishLater({ asked, outcome: settled }))
          .catch((error: unknown) => fail(parts, asked, error))
      finishLater({ asked, outcome })
    } catch (error) {
      fail(parts, { incoming, outgoing, id, startedMs: Number.NaN }, error)
    }
    return undefined
  }
}

/** The parts, with what writes to the socket. */
type Sending = AuthzDeps & { readonly send: SendAnswer }

/** Where not even an id could be made. */
const NO_ID = 'none'

/** One request on its socket. */
interface Asked {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly id: string
  /** NaN where no clock could be read. */
  readonly startedMs: number
}

interface Concluded {
  readonly asked: Asked
  readonly outcome: Outcome
}

/** All answers go out before any line is written: whoever waits for them does not wait for the log. */
const finishAll = (deps: Sending, all: readonly Concluded[]): void => {
  const sent = all.filter(({ asked, outcome }) =>
    guard(deps, asked, () => {
      // What must be recorded is recorded before anybody hears of it.
      if (isStrict(outcome)) record(deps, asked, outcome)
      deps.send(asked.incoming, asked.outgoing, outcome.answer)
    }),
  )
  // What could not be sent has its line already, as the fault that it was answered with.
  for (const { asked, outcome } of sent)
    if (!isStrict(outcome)) guard(deps, asked, () => record(deps, asked, outcome))
}

const isStrict = ({ ruling }: Outcome): boolean => ruling?.route?.audit === 'strict'

const record = (deps: AuthzDeps, asked: Asked, outcome: Outcome): void =>
  deps.observe(observedOf(deps, asked, outcome))

/** True where nothing broke. */
const guard = (deps: Sending, asked: Asked, run: () => void): boolean => {
  try {
    run()
    return true
  } catch (error) {
    fail(deps, asked, error)
    return false
  }
}

const fail = (deps: Sending, asked: Asked, error: unknown): void => {
  attempt(() => deps.onFault(error))
  answerFault(deps, asked)
}

const attempt = (run: () => void): void => {
  try {
    run()
  } catch {
    // Whatever tells of faults is broken too; the answer must go out all the same.
  }
}

const answerFault = (deps: Sending, asked: Asked): void => {
  const { incoming, outgoing, id } = asked
  const outcome = failed(id)
  const isAnswered = outgoing.headersSent
  if (!isAnswered) attempt(() => deps.send(incoming, outgoing, outcome.answer))
  // Half an answer, or none at all: the connection goes, and with it any access.
  if (!outgoing.writableEnded) outgoing.destroy()
  if (!isAnswered) attempt(() => record(deps, asked, outcome))
}

const observedOf = (deps: AuthzDeps, { incoming, id, startedMs }: Asked, outcome: Outcome): Observed => ({
  id,
  status: outcome.answer.status,
  decision: outcome.decision,
  reading: outcome.reading,
  ruling: outcome.ruling,
  peer: incoming.socket.remoteAddress,
  policyRevision: outcome.policyRevision,
  elapsedUs: Number.isNaN(startedMs) ? 0 : Math.round((deps.monotonicMs() - startedMs) * 1000),
  nowMs: deps.nowMs(),
  note: outcome.note,
})

interface Outcome {
  readonly answer: Answer
  readonly decision: Decision
  readonly reading: Exchange | Refusal | undefined
  readonly ruling: Ruling | undefined
  readonly policyRevision: string | undefined
  readonly note: string | undefined
}

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

const BARE = [
  'Content-Length',
  '0',
  'Cache-Control',
  'no-store',
  'X-Accel-Expires',
  '0',
  'X-Postern-Decision',
] as const

const bare = (status: number, id: string): Answer => ({ status, headers: [...BARE, id], body: '' })

const unknownPath = (id: string): Outcome => ({
  answer: bare(404, id),
  decision: denied('ERROR_INTEGRATION'),
  reading: undefined,
  ruling: undefined,
  policyRevision: undefined,
  note: 'the path is none of /authz/nginx, /authz/forward, /authz/ext',
})

const failed = (id: string): Outcome => ({
  answer: bare(503, id),
  decision: {
    route: undefined,
    section: undefined,
    rule: undefined,
    outcome: 'indeterminate',
    reason: 'ERROR_INTERNAL',
    why: 'a fault',
  },
  reading: undefined,
  ruling: undefined,
  policyRevision: undefined,
  note: 'a fault in Postern; the service log has it',
})
