// What a session is after its provider was asked again. A refresh brings what the sign-in was granted and no more: what
// did not come is not known to be absent.
import { fitSession, type FitPolicy } from '../identity/session-fit.ts'
import { SESSION_BYTES_MAX } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import type { SessionClaims } from './session-claims.ts'

/**
 * Makes the session as it was learned anew. A name is captured if it came, or if it was asked for at sign-in and was absent
 * then as it is now. One that nobody asked for at sign-in may be beyond the scopes that were granted, and one that had a
 * value and is wholly gone may be a fault of the provider: both are asked for by the next sign-in, and no rule takes them
 * for absent in between.
 * @param learnedAtSeconds when the provider was asked: what was taken away before that is gone. Never throws.
 */
export const renewedSession = (
  session: Session,
  { claims, cut, emailVerified }: SessionClaims,
  fit: FitPolicy,
  learnedAtSeconds: number,
): Session => {
  const came = new Set([...Object.keys(claims), ...cut])
  const stillAbsent = session.captured.filter(
    (name) => !Object.hasOwn(session.claims, name) && !session.cut.includes(name),
  )
  return fitSession(
    {
      ...session,
      claims,
      cut,
      captured: [...new Set([...came, ...stillAbsent])].toSorted(),
      emailVerified,
      groupsRevision: undefined,
      learnedAtSeconds,
    },
    SESSION_BYTES_MAX,
    fit,
  )
}
