// From a verified token's payload to the names that policies use. What is not whole is named as cut, so that a rule
// never takes a part for the whole. Maps, never objects: a claim may be called `__proto__`.
import type { ClaimScalar, ClaimValue } from '../policy/principal.ts'
import type { ClaimMapping } from './source.ts'
import { isObject, ownValue, type JsonObject } from './strict-json.ts'

export interface MappedClaims {
  readonly claims: ReadonlyMap<string, ClaimValue>
  /** Mapped names whose value is known to be incomplete or not to be a plain value. */
  readonly cut: ReadonlySet<string>
}

/** Longest string that is a claim value. */
const TEXT_MAX = 1024
/** Most values of one claim. */
const VALUES_MAX = 2000

/**
 * Maps a payload.
 * @param payload of a token whose signature was verified; its values are still untrusted in form
 * @returns the claims that are there and whole, and the names of those that are not. Never throws.
 */
export const mapClaims = (payload: JsonObject, mapping: ClaimMapping): MappedClaims => {
  const claims = new Map<string, ClaimValue>()
  const cut = new Set<string>()
  for (const [name, claim] of Object.entries(mapping)) {
    const value = ownValue(payload, claim)
    if (isElsewhere(payload, claim, value)) cut.add(name)
    else if (value !== undefined && value !== null) {
      const clean = name === 'groups' ? groupValues(value) : claimValue(value)
      if (clean === undefined) cut.add(name)
      else claims.set(name, clean)
    }
  }
  return { claims, cut }
}

/**
 * Aggregated and distributed claims (OIDC Core §5.6.2) are somewhere else: with too many groups some providers send
 * only where to ask for them.
 */
const isElsewhere = (payload: JsonObject, claim: string, value: unknown): boolean => {
  const names = ownValue(payload, '_claim_names')
  const isPresent = value !== undefined && value !== null
  if (isObject(names)) {
    if (Object.hasOwn(names, claim)) return true
  } else if (names !== undefined || ownValue(payload, '_claim_sources') !== undefined) return !isPresent
  return claim === 'groups' && !isPresent && ownValue(payload, 'hasgroups') !== undefined
}

/** A string is one group, commas and all; anything but strings is not a list of groups. */
const groupValues = (value: unknown): ClaimValue | undefined => {
  const values = claimValue(typeof value === 'string' ? [value] : value)
  return typeof values === 'object' && values.every((one) => typeof one === 'string') ? values : undefined
}

const claimValue = (value: unknown): ClaimValue | undefined => {
  if (!Array.isArray(value)) return scalar(value)
  if (value.length > VALUES_MAX) return undefined
  const values = value.map(scalar).filter((one) => one !== undefined)
  return values.length === value.length ? values : undefined
}

const scalar = (value: unknown): ClaimScalar | undefined => {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' && isCleanText(value) ? value : undefined
}

/** Control characters, line separators and halves of surrogate pairs: nothing that a header or a log line could split at. */
const UNCLEAN = /[\p{Cc}\u2028\u2029]/u

/** True for a text that may be a claim value or a subject. Never throws. */
export const isCleanText = (text: string): boolean =>
  text.length <= TEXT_MAX && text.isWellFormed() && !UNCLEAN.test(text)
