// What is left out of a session that is too long for a cookie, in the order in which it is missed least.
import type { ClaimValue } from '../policy/principal.ts'
import { sessionBytes } from './session-seal.ts'
import type { Session } from './session.ts'

/** What the loaded policies say about a session's contents. */
export interface FitPolicy {
  /** Mapped names that only headers read; no rule does. */
  readonly headerOnlyClaims: ReadonlySet<string>
  /** Every group that some live or candidate policy names. */
  readonly namedGroups: ReadonlySet<string>
  /** Revision of `namedGroups`, sealed in where groups are left out. */
  readonly groupsRevision: string
}

/**
 * Shortens a session until its cookie fits: first claims that only headers read, the longest first, then group values
 * that no policy names.
 * @param budgetBytes longest cookie value, e.g. `SESSION_BYTES_MAX`
 * @returns the same session where it fits, else a shorter one: what was left out counts as not captured, never as
 *   absent. It may still be too long; sealing says so. Never throws.
 */
export const fitSession = (session: Session, budgetBytes: number, policy: FitPolicy): Session => {
  let fitted = session
  for (const name of byLength(session.claims).filter((one) => policy.headerOnlyClaims.has(one))) {
    if (sessionBytes(fitted) <= budgetBytes) return fitted
    fitted = without(fitted, name)
  }
  return sessionBytes(fitted) <= budgetBytes ? fitted : withNamedGroups(fitted, policy)
}

const byLength = (claims: Session['claims']): readonly string[] =>
  Object.entries(claims)
    .map(([name, value]) => ({ name, length: JSON.stringify(value).length }))
    .sort((one, other) => other.length - one.length)
    .map((one) => one.name)

const without = (session: Session, name: string): Session => ({
  ...session,
  claims: withClaims(session.claims, (claim) => (claim === name ? undefined : session.claims[claim])),
  captured: session.captured.filter((one) => one !== name),
})

const withNamedGroups = (session: Session, policy: FitPolicy): Session => {
  const groups = Object.hasOwn(session.claims, 'groups') ? session.claims['groups'] : undefined
  if (typeof groups !== 'object') return session
  const named = groups.filter((group) => typeof group === 'string' && policy.namedGroups.has(group))
  return {
    ...session,
    claims: withClaims(session.claims, (claim) => (claim === 'groups' ? named : session.claims[claim])),
    groupsRevision: policy.groupsRevision,
  }
}

const withClaims = (
  claims: Session['claims'],
  valueOf: (name: string) => ClaimValue | undefined,
): Session['claims'] => {
  const kept: Record<string, ClaimValue> = Object.create(null)
  for (const name of Object.keys(claims)) {
    const value = valueOf(name)
    if (value !== undefined) kept[name] = value
  }
  return kept
}
