// The session cookie as a credential: which copy counts, whether it still does, and who it says is calling. Anything
// but exactly one good session is nobody.
import type { HostName } from '../policy/host-pattern.ts'
import {
  ANONYMOUS,
  type AnonymousNote,
  type Authentication,
  type ClaimValue,
  type Principal,
} from '../policy/principal.ts'
import { believes } from './believed.ts'
import { SKEW_SECONDS } from './clock-skew.ts'
import { cookieValues } from './cookie-header.ts'
import { isMultiFactor } from './multi-factor.ts'
import type { Seal } from './seal.ts'
import { openSession, type CookieBinding } from './session-seal.ts'
import type { Session } from './session.ts'
import type { ProviderSource } from './source.ts'
import type { Acceptance, Revocable } from './verified.ts'

/** Looks a credential up among the revocations. `unknown`: the state was not heard for too long. */
export type CheckRevocation = (credential: Revocable) => 'live' | 'revoked' | 'unknown'

export interface SessionSettings {
  /** Of the session purpose. */
  readonly seal: Seal
  /** Name and place of the cookie on a host: one for the domain, or one for each host. */
  readonly bindingFor: (host: HostName) => CookieBinding
  readonly providers: readonly ProviderSource[]
  readonly idleSeconds: number
  /** What an unknown last use counts as: an outage of the state ends no session. */
  readonly processStartSeconds: number
  /** How old what the provider said may be. */
  readonly freshnessSeconds: number
}

export interface SessionPorts {
  readonly checkRevocation: CheckRevocation
  /** @returns epoch seconds, or undefined where no use is known */
  readonly lastUse: (sessionId: string) => number | undefined
  /** Revision of the groups that today's policies name. */
  readonly groupsRevision: () => string
  /** The session as it was last learned from its provider, where that was after sign-in. */
  readonly learned: (sessionId: string) => Session | undefined
}

export interface SessionFinding {
  readonly authentication: Authentication
  /** How many cookies of our name came, opened or not. */
  readonly copies: number
  /** Stable word for the log; a finding with a note is not to be remembered. */
  readonly note: 'two-sessions' | 'several-cookies' | undefined
  readonly revocable: Revocable | undefined
  /** The session that counts. */
  readonly session?: Session
  /** A session that would count, had its provider been asked lately. */
  readonly stale?: Session
}

/**
 * Verifies the session cookies of a request. Synchronous, never throws.
 * @param keptUntilSeconds until then a session counts though its provider was not asked lately; default: not at all
 */
export type VerifySession = (
  cookies: readonly string[],
  acceptance: Acceptance,
  keptUntilSeconds?: number,
) => SessionFinding

type Standing =
  | { readonly kind: 'live'; readonly session: Session; readonly idleAtSeconds: number }
  | { readonly kind: 'dead'; readonly note: AnonymousNote }
  | { readonly kind: 'unknown' }

/** Makes the verifier of session cookies; sources are indexed once. */
export const makeVerifySession = (settings: SessionSettings, ports: SessionPorts): VerifySession => {
  const providers = new Map(settings.providers.map((one) => [one.id, withAssertable(one)]))
  return (cookies, acceptance, keptUntilSeconds = 0) => {
    const binding = settings.bindingFor(acceptance.host)
    const values = cookieValues(cookies, binding.name)
    if (values.length === 0) return found(ANONYMOUS, values)
    const standings = values
      .map((value) => openSession(settings.seal, value, binding))
      .filter((session) => session !== undefined)
      .map((session) => latestOf(session, ports.learned(session.id)))
      .map((session) => standingOf(session, acceptance.nowMs / 1000, settings, ports))
    if (standings.some((one) => one.kind === 'unknown')) return found(STATE_UNKNOWN, values)
    const live = standings.filter((one) => one.kind === 'live')
    const [latest] = live.toSorted(
      (one, other) => other.session.issuedAtSeconds - one.session.issuedAtSeconds,
    )
    if (latest === undefined) return found(anonymous(deadNote(standings)), values)
    if (live.some((one) => one.session.id !== latest.session.id)) {
      return { ...found(anonymous('two-sessions'), values), note: 'two-sessions' }
    }
    const provider = providers.get(latest.session.provider)
    if (provider === undefined || !believes(acceptance.route, provider.source)) {
      return found(anonymous('not-believed'), values)
    }
    const { session } = latest
    const freshUntilSeconds = Math.max(freshUntil(session, settings, acceptance.nowMs), keptUntilSeconds)
    if (acceptance.nowMs / 1000 >= freshUntilSeconds) {
      return { ...found(anonymous('stale'), values), stale: session }
    }
    const principal = principalOf(latest, provider, ports.groupsRevision(), freshUntilSeconds)
    return { ...found({ kind: 'verified', principal }, values), revocable: revocableOf(session), session }
  }
}

/** What was learned since counts; which cookie it is, and for how long, stays the cookie's own word. */
const latestOf = (carried: Session, learned: Session | undefined): Session =>
  learned === undefined || learned.learnedAtSeconds <= carried.learnedAtSeconds
    ? carried
    : {
        ...learned,
        issuedAtSeconds: carried.issuedAtSeconds,
        expiresAtSeconds: carried.expiresAtSeconds,
        revocationNumber: carried.revocationNumber,
      }

/** What was learned later than clocks differ was learned by a clock that has jumped. */
const freshUntil = (session: Session, settings: SessionSettings, nowMs: number): number =>
  session.learnedAtSeconds > nowMs / 1000 + SKEW_SECONDS
    ? 0
    : session.learnedAtSeconds + settings.freshnessSeconds

const STATE_UNKNOWN: Authentication = {
  kind: 'unavailable',
  reason: 'ERROR_STATE',
  why: 'revocations were not heard of for too long',
}

const found = (authentication: Authentication, values: readonly string[]): SessionFinding => ({
  authentication,
  copies: values.length,
  note: values.length > 1 ? 'several-cookies' : undefined,
  revocable: undefined,
})

const anonymous = (note: AnonymousNote): Authentication => ({ kind: 'anonymous', note })

const deadNote = (standings: readonly Standing[]): AnonymousNote =>
  standings.find((one) => one.kind === 'dead')?.note ?? 'does-not-open'

/**
 * A session past its absolute limit, idle or revoked is as good as one that does not open: it neither counts nor
 * stands in the way of the one that does.
 */
const standingOf = (
  session: Session,
  nowSeconds: number,
  settings: SessionSettings,
  ports: SessionPorts,
): Standing => {
  if (nowSeconds >= session.expiresAtSeconds) return { kind: 'dead', note: 'expired' }
  const usedAtSeconds = Math.max(
    ports.lastUse(session.id) ?? settings.processStartSeconds,
    session.issuedAtSeconds,
  )
  const idleAtSeconds = usedAtSeconds + settings.idleSeconds
  if (nowSeconds >= idleAtSeconds) return { kind: 'dead', note: 'expired' }
  const verdict = ports.checkRevocation(revocableOf(session))
  if (verdict === 'revoked') return { kind: 'dead', note: 'revoked' }
  return verdict === 'unknown' ? { kind: 'unknown' } : { kind: 'live', session, idleAtSeconds }
}

/** What of a session a revocation may name. */
export const revocableOf = (session: Session): Revocable => ({
  id: session.id,
  source: session.provider,
  subject: session.subject,
  providerSession: session.providerSession,
  number: session.revocationNumber,
  issuedAtSeconds: undefined,
  learnedAtSeconds: session.learnedAtSeconds,
})

interface Provider {
  readonly source: ProviderSource
  readonly assertable: ReadonlySet<string>
}

const withAssertable = (source: ProviderSource): Provider => ({
  source,
  assertable: new Set(Object.keys(source.claims)),
})

const NOTHING_CUT: ReadonlySet<string> = new Set()

const principalOf = (
  standing: Extract<Standing, { kind: 'live' }>,
  { source, assertable }: Provider,
  groupsRevision: string,
  freshUntilSeconds: number,
): Principal => {
  const { session } = standing
  // What the provider may no longer assert does not count, whatever it said at sign-in.
  const claims = new Map<string, ClaimValue>()
  for (const [name, value] of Object.entries(session.claims))
    if (assertable.has(name)) claims.set(name, value)
  return {
    kind: 'person',
    credential: 'session',
    source: source.id,
    subject: session.subject,
    client: undefined,
    claims,
    assertable,
    captured: new Set(session.captured),
    cut: session.cut.length === 0 ? NOTHING_CUT : new Set(session.cut),
    groupsComplete: session.groupsRevision === undefined || session.groupsRevision === groupsRevision,
    groupsTrimmed: session.groupsRevision !== undefined,
    emailVerified: session.emailVerified || source.emailTrusted,
    amr: session.amr,
    acr: session.acr,
    authTimeSeconds: session.authTimeSeconds,
    multiFactor: isMultiFactor(source, session.amr, session.acr),
    multiFactorAcr: source.mfa?.acr ?? [],
    stepUp: session.stepUp,
    sessionId: session.id,
    expiresAtSeconds: Math.min(session.expiresAtSeconds, standing.idleAtSeconds, freshUntilSeconds),
  }
}
