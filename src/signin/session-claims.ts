// The provider's claims → what a session holds. The ID token speaks first; UserInfo fills what it leaves out, and nothing
// else. A claim that came incomplete is `cut`, never taken for absent.
import { mapClaims } from '../identity/claims.ts'
import type { ClaimMapping } from '../identity/source.ts'
import { ownValue, type JsonObject } from '../identity/strict-json.ts'
import type { ClaimValue } from '../policy/principal.ts'

export interface SessionClaims {
  /** Mapped name → value; without a prototype, so that `__proto__` is a name like any other. */
  readonly claims: Readonly<Record<string, ClaimValue>>
  readonly cut: readonly string[]
  readonly emailVerified: boolean
}

/**
 * Tells whether the ID token leaves out something that is wanted, so that UserInfo has to be asked.
 * @param wanted mapped names
 */
export const lacksClaims = (idToken: JsonObject, mapping: ClaimMapping, wanted: readonly string[]): boolean =>
  Object.keys(missing(idToken, only(mapping, wanted))).length > 0 ||
  (wanted.includes('email') && ownValue(idToken, 'email_verified') === undefined)

/**
 * Takes the wanted claims.
 * @param idToken verified
 * @param userInfo of the same subject, as openid-client has compared (OIDC Core §5.3.2); undefined = not asked
 * @returns claims with values, and the names whose value cannot be relied on. Never throws.
 */
export const takeClaims = (
  idToken: JsonObject,
  userInfo: JsonObject | undefined,
  mapping: ClaimMapping,
  wanted: readonly string[],
): SessionClaims => {
  const asked = only(mapping, wanted)
  const first = mapClaims(idToken, asked)
  const second = mapClaims(userInfo ?? {}, missing(idToken, asked))
  const claims: Record<string, ClaimValue> = Object.create(null)
  for (const [name, value] of [...first.claims, ...second.claims]) claims[name] = value
  return {
    claims,
    cut: [...first.cut, ...second.cut].toSorted(),
    emailVerified: isEmailVerified(idToken, userInfo, asked),
  }
}

const only = (mapping: ClaimMapping, wanted: readonly string[]): ClaimMapping =>
  Object.fromEntries(Object.entries(mapping).filter(([name]) => wanted.includes(name)))

/** The part of a mapping that the ID token says nothing about, neither a value nor that there is one elsewhere. */
const missing = (idToken: JsonObject, asked: ClaimMapping): ClaimMapping => {
  const { claims, cut } = mapClaims(idToken, asked)
  return Object.fromEntries(Object.entries(asked).filter(([name]) => !claims.has(name) && !cut.has(name)))
}

/** The word `verified` counts for the address beside it, never for one that came from elsewhere. */
const isEmailVerified = (
  idToken: JsonObject,
  userInfo: JsonObject | undefined,
  asked: ClaimMapping,
): boolean => {
  const claim = ownValue(asked, 'email')
  if (typeof claim !== 'string') return false
  const here = ownValue(idToken, claim)
  const there = userInfo === undefined ? undefined : ownValue(userInfo, claim)
  if (here === undefined) return userInfo !== undefined && ownValue(userInfo, 'email_verified') === true
  const word = ownValue(idToken, 'email_verified')
  if (word !== undefined) return word === true
  return here === there && userInfo !== undefined && ownValue(userInfo, 'email_verified') === true
}
