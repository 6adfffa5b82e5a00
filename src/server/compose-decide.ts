// Joins the corridor: match, verify, evaluate, the cache over them, and the answer.
import type { Config } from '../config/config.ts'
import { makeCachedSettle } from '../decide/cached.ts'
import { makeDecide, makeSettle, type Decide, type Settle } from '../decide/decide.ts'
import type { PrepareIdentity, Ruling } from '../decide/ruling.ts'
import type { Revocable } from '../identity/verified.ts'
import type { Decision } from '../policy/decision.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Answer, AnswerSettings } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { writeAnswer } from '../proxy/write-answer.ts'
import type { MemoryState } from '../state/memory-state.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { IdentityParts } from './compose-identity.ts'
import type { CookieRenewal } from './cookie-renewal.ts'

export interface DecideParts {
  readonly decide: Decide
  readonly cacheEntries: () => number
}

export interface DecidePorts {
  readonly identity: IdentityParts
  readonly prepareIdentity: PrepareIdentity
  readonly policies: () => PolicySet
  readonly state: Pick<MemoryState, 'revocations' | 'lastUse' | 'grants'>
  readonly metrics: Pick<Metrics, 'cacheLookup'>
}

/** Builds `decide`. With `cache.decisions: 0` every decision is made anew. */
export const composeDecide = (config: Config, ports: DecidePorts): DecideParts => {
  const { authenticate } = ports.identity
  const settle = recordingUse(makeSettle({ authenticate, prepareIdentity: ports.prepareIdentity }), ports)
  if (config.cache.decisions === 0) return { decide: makeDecide(settle), cacheEntries: () => 0 }
  let revision = ''
  /** What another policy set decided is never asked for again: it goes at once, not when its room is needed. */
  const inForce = (): string => {
    const current = ports.policies().revision
    if (current !== revision) cached.clear()
    revision = current
    return current
  }
  const cached = makeCachedSettle(
    settle,
    { entries: config.cache.decisions, ttlMs: config.cache.ttlMs, idleMs: config.session.idleMs },
    {
      context: (carried) => ({
        policyRevision: inForce(),
        keyRevision: ports.identity.keyRevision(),
        stageEpoch: 0,
        credentialDigest: ports.identity.digest(carried),
        hostBound: config.session.perHost,
      }),
      stillGood: (revocable) => {
        if (ports.state.revocations.check(revocable) !== 'live') return false
        if (wasLearnedSince(ports, revocable)) return false
        touch(ports, revocable)
        return true
      },
      onLookup: (outcome) => ports.metrics.cacheLookup(outcome),
    },
  )
  return { decide: makeDecide(cached.settle), cacheEntries: cached.size }
}

/** Every decision counts as a use of the session; its idle limit is measured from the last one. */
const recordingUse = (settle: Settle, ports: DecidePorts): Settle => {
  const record = (ruling: Ruling): Ruling => {
    if (ruling.verified?.revocable !== undefined) touch(ports, ruling.verified.revocable)
    return ruling
  }
  return (matched, facts, carried, nowMs) => {
    const ruling = settle(matched, facts, carried, nowMs)
    return ruling instanceof Promise ? ruling.then(record) : record(ruling)
  }
}

/** The provider has said something since: the cached decision is one about what it said before. */
const wasLearnedSince = ({ state }: DecidePorts, { id, learnedAtSeconds }: Revocable): boolean =>
  id !== undefined &&
  learnedAtSeconds !== undefined &&
  (state.grants.get(id)?.learnedAtSeconds ?? 0) > learnedAtSeconds

/** Only sessions have a number and an idle limit. */
const touch = (ports: DecidePorts, revocable: Revocable): void => {
  if (revocable.id !== undefined && revocable.number !== undefined) ports.state.lastUse.touch(revocable.id)
}

/** Writes the answers of rulings; `decision` may be stricter than the ruling's own. */
export const makeWriteDecision =
  (settings: AnswerSettings, renewCookie: CookieRenewal) =>
  (decision: Decision, exchange: Exchange, ruling: Ruling | undefined, decisionId: string): Answer =>
    writeAnswer(
      {
        exchange,
        decision,
        route: ruling?.route,
        section: ruling?.section,
        verified: ruling?.verified,
        identityHeaders: ruling?.identityHeaders ?? [],
        isShared: ruling?.cache === 'hit',
        decisionId,
        setCookie: renewCookie(decision, ruling, exchange),
      },
      settings,
    )
