// Sessions learned anew on the decision path: one request to the provider at a time for each session, none while it was
// just seen to fail, and no decision waits long. What is learned is written down before it counts.
import type { FitPolicy } from '../identity/session-fit.ts'
import type { Renewal, RenewSession } from '../identity/session-freshness.ts'
import type { Session } from '../identity/session.ts'
import type { Grant, Grants, SignInEvent } from './deps.ts'
import { learnAnew, type Learned } from './learn-anew.ts'
import { whyOf } from './provider-fault.ts'
import type { Provider } from './provider.ts'
import { renewedSession } from './renewed-session.ts'
import { makeRetryPauses, type RetryPauses } from './retry-pauses.ts'

export interface RenewalDeps {
  readonly providers: ReadonlyMap<string, Provider>
  readonly grants: Grants
  /** What sessions capture today. */
  readonly policy: () => { readonly claims: readonly string[]; readonly fit: FitPolicy }
  /** Resolves when the session is over; false where that could not be written down. */
  readonly revokeSession: (session: Session) => Promise<boolean>
  /** True where the session was ended meanwhile. */
  readonly isRevoked: (session: Session) => boolean
  /** How old what the provider said may be. */
  readonly freshnessSeconds: number
  /** Resolves after that time; must not keep the process alive by itself. */
  readonly wait: (ms: number) => Promise<void>
  readonly onEvent: (event: SignInEvent) => void
  /** Hears of what should not have failed. */
  readonly onFault: (error: unknown) => void
}

/** A decision waits no longer than this for a provider: proxies give up after two seconds. */
const RENEWAL_WAIT_MS = 1_500
const SETTLED: Renewal = { kind: 'settled' }
const IMPOSSIBLE: Renewal = { kind: 'impossible' }

/** Makes the renewal of all sessions. */
export const makeRenew = (deps: RenewalDeps): RenewSession => {
  const flights = new Map<string, Promise<Renewal>>()
  const pauses = makeRetryPauses()
  const begin = (session: Session, provider: Provider, nowMs: number): Promise<Renewal> => {
    const known = flights.get(session.id)
    if (known !== undefined) return known
    const flight = refresh(deps, pauses, session, provider, nowMs)
      .catch((error: unknown) => {
        deps.onFault(error)
        return kept(pauses.failed(session.id, provider.id, false, nowMs))
      })
      .finally(() => flights.delete(session.id))
    flights.set(session.id, flight)
    return flight
  }
  return (session, nowMs, when) => {
    const provider = deps.providers.get(session.provider)
    const grant = deps.grants.get(session.id)
    // Without what was kept nobody knows what has been learned since the cookie: its own word must not come back.
    if (provider === undefined || grant === undefined) return IMPOSSIBLE
    const pausedUntilMs = pauses.until(session.id, provider.id, nowMs)
    if (nowMs < pausedUntilMs) return goOn(deps, pauses, session, pausedUntilMs, nowMs)
    if (grant.refreshToken !== '') {
      const flight = begin(session, provider, nowMs)
      return when === 'ahead' ? flight : noLonger(deps, pauses, session, flight, nowMs)
    }
    if (when === 'ahead') return IMPOSSIBLE
    return noLonger(deps, pauses, session, unlessDown(deps, pauses, session, provider, nowMs), nowMs)
  }
}

const kept = (untilMs: number): Renewal => ({ kind: 'kept', untilSeconds: untilMs / 1000 })

/** For so many times its freshness a session goes on that its provider serves badly while it serves others well. */
const ALONE_FACTOR = 2

/**
 * An outage ends nobody's session. What fails for one session alone may be of its owner's making, and keeps what was taken
 * away from him for no longer than twice the time: then the browser has to ask.
 */
const goOn = (
  deps: RenewalDeps,
  pauses: RetryPauses,
  session: Session,
  untilMs: number,
  nowMs: number,
): Renewal => {
  const isOver = nowMs / 1000 >= session.learnedAtSeconds + ALONE_FACTOR * deps.freshnessSeconds
  return isOver && pauses.isAlone(session.id, session.provider) ? IMPOSSIBLE : kept(untilMs)
}

/** Without a refresh token only the browser can ask; while the provider is down it would only see that. */
const unlessDown = async (
  deps: RenewalDeps,
  pauses: RetryPauses,
  session: Session,
  provider: Provider,
  nowMs: number,
): Promise<Renewal> => {
  if (await provider.isReachable()) return IMPOSSIBLE
  const untilMs = pauses.failed(session.id, provider.id, true, nowMs)
  deps.onEvent({ kind: 'renewal-failed', session, why: 'unreachable', untilMs })
  return kept(untilMs)
}

/** The decision goes on; what was begun ends by itself. */
const noLonger = (
  deps: RenewalDeps,
  pauses: RetryPauses,
  session: Session,
  flight: Promise<Renewal>,
  nowMs: number,
): Promise<Renewal> => {
  const late = deps
    .wait(RENEWAL_WAIT_MS)
    .then(() => goOn(deps, pauses, session, nowMs + RENEWAL_WAIT_MS, nowMs))
  return Promise.race([flight, late])
}

const refresh = async (
  deps: RenewalDeps,
  pauses: RetryPauses,
  session: Session,
  provider: Provider,
  nowMs: number,
): Promise<Renewal> => {
  // With keys of before, a refresh after a rotation is not believed, and by then the refresh token is used up.
  const found = await provider.withFreshKeys()
  const grant = deps.grants.get(session.id)
  if (grant === undefined) return IMPOSSIBLE
  const wanted = [...new Set([...session.captured, ...deps.policy().claims])].toSorted()
  const learned: Learned =
    found.kind === 'fault'
      ? {
          kind: 'failed',
          why: whyOf(found.fault),
          isUnreachable: found.fault.kind === 'unavailable',
          refreshToken: grant.refreshToken,
        }
      : await learnAnew({
          client: found.client,
          refreshToken: grant.refreshToken,
          subject: session.subject,
          mapping: provider.settings.source.claims,
          wanted,
        })
  switch (learned.kind) {
    case 'learned':
      pauses.succeeded(session.id, provider.id, nowMs)
      return keep(deps, session, grant, learned, nowMs)
    case 'over':
      return end(deps, session, learned.why)
    case 'asks':
      // Without its token the session is the browser's to ask about, and the provider is left alone.
      await deps.grants.put(session.id, { ...grant, refreshToken: '' })
      deps.onEvent({ kind: 'renewal-failed', session, why: learned.why, untilMs: nowMs })
      return IMPOSSIBLE
    case 'failed': {
      if (learned.refreshToken !== grant.refreshToken)
        await deps.grants.put(session.id, { ...grant, refreshToken: learned.refreshToken })
      // What looks like an outage may be one answer: the provider has another chance to show that it is there.
      const isUnreachable = learned.isUnreachable && !(await provider.isReachable())
      const untilMs = pauses.failed(session.id, provider.id, isUnreachable, nowMs)
      deps.onEvent({ kind: 'renewal-failed', session, why: learned.why, untilMs })
      return goOn(deps, pauses, session, untilMs, nowMs)
    }
  }
}

const keep = async (
  deps: RenewalDeps,
  session: Session,
  grant: Grant,
  learned: Extract<Learned, { kind: 'learned' }>,
  nowMs: number,
): Promise<Renewal> => {
  // Ended while the provider was asked: nothing of it is kept.
  if (deps.isRevoked(session)) return SETTLED
  const learnedAtSeconds = Math.floor(nowMs / 1000)
  const renewed = renewedSession(session, learned.claims, deps.policy().fit, learnedAtSeconds)
  await deps.grants.put(session.id, {
    ...grant,
    session: renewed,
    learnedAtSeconds,
    refreshToken: learned.refreshToken,
    idToken: learned.idToken ?? grant.idToken,
  })
  deps.onEvent({ kind: 'renewed', session: renewed })
  return SETTLED
}

const end = async (deps: RenewalDeps, session: Session, why: string): Promise<Renewal> => {
  const recorded = await deps.revokeSession(session)
  deps.onEvent({ kind: 'renewal-refused', session, why, recorded })
  return SETTLED
}
