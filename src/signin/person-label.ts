// What pages call a person.
import type { ClaimValue } from '../policy/principal.ts'

/** From the friendliest on; mapped names. */
const NAMES = ['name', 'email', 'user', 'preferred_username']

/**
 * The friendliest name among claims.
 * @param claims mapped name → value, of a session or a bearer token that was verified
 * @returns undefined where only the subject is known. Never throws.
 */
export const personLabel = (claims: ReadonlyMap<string, ClaimValue>): string | undefined =>
  NAMES.map((name) => claims.get(name)).find(
    (value): value is string => typeof value === 'string' && value !== '',
  )
