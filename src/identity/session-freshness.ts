// How old what a provider said may become. Past that a session is learned anew before it counts; a provider that
// cannot be asked for a while ends nobody's session, and one that says no ends it (OIDC Core §12).
import type { SessionFinding, VerifySession } from './session-credential.ts'
import type { Session } from './session.ts'
import type { Acceptance } from './verified.ts'

export type Renewal =
  /** The provider answered: what it said is what {@link SessionPorts.learned} gives from now on, or the session ended. */
  | { readonly kind: 'settled' }
  /** It could not be asked: the session goes on as it is until then, epoch seconds. */
  | { readonly kind: 'kept'; readonly untilSeconds: number }
  /** There is nothing to ask it with: only the browser can. */
  | { readonly kind: 'impossible' }

/**
 * Learns a session anew.
 * @param when `due`: a decision waits for it; `ahead`: none does yet
 * @returns synchronous where nothing has to be asked; never throws, never rejects
 */
export type RenewSession = (
  session: Session,
  nowMs: number,
  when: 'due' | 'ahead',
) => Renewal | Promise<Renewal>

/** Finds the session of a request, learned anew where it has to be. Never throws, never rejects. */
export type FindSession = (
  cookies: readonly string[],
  acceptance: Acceptance,
) => SessionFinding | Promise<SessionFinding>

/** From this part of its time on a session is learned anew beside the decision, so that hardly any one waits for it. */
const AHEAD = 0.8

/**
 * Puts renewal behind the verification of session cookies.
 * @param freshnessSeconds how old what the provider said may be
 */
export const makeFindSession = (
  verify: VerifySession,
  renew: RenewSession,
  freshnessSeconds: number,
): FindSession => {
  return (cookies, acceptance) => {
    const finding = verify(cookies, acceptance)
    const { session, stale } = finding
    if (stale === undefined) {
      if (session !== undefined && isNearlyStale(session, acceptance.nowMs, freshnessSeconds))
        void renew(session, acceptance.nowMs, 'ahead')
      return finding
    }
    const settle = (renewal: Renewal): SessionFinding => {
      switch (renewal.kind) {
        case 'settled':
          return verify(cookies, acceptance)
        case 'kept':
          return verify(cookies, acceptance, renewal.untilSeconds)
        case 'impossible':
          return finding
      }
    }
    const renewal = renew(stale, acceptance.nowMs, 'due')
    return renewal instanceof Promise ? renewal.then(settle) : settle(renewal)
  }
}

const isNearlyStale = (session: Session, nowMs: number, freshnessSeconds: number): boolean =>
  nowMs / 1000 >= session.learnedAtSeconds + AHEAD * freshnessSeconds
