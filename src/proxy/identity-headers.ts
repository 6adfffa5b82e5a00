// The identity header set of an allow: always whole, so that nothing that the client sent in its place survives
// (CVE-2026-30851), and small enough for the 4 KiB that NGINX reads. Nothing in it comes from the request.
import type { ClaimValue, Principal } from '../policy/principal.ts'
import type { IdentityHeaderNames } from '../policy/route.ts'
import { headerList, headerText } from './header-text.ts'

export interface IdentityInput {
  readonly names: IdentityHeaderNames
  /** Undefined for an anonymous caller, and for an allow that passes no identity on. */
  readonly principal: Principal | undefined
  /** The signed assertion; empty where there is none. */
  readonly assertion: string
  /** The route believes several providers or issuers and not each of them maps `user`: names are `id|sub`. */
  readonly qualified: boolean
}

/** A header that is empty although the caller has a value for it. */
export interface IdentityWarning {
  readonly header: string
  readonly why: 'over-budget' | 'incomplete'
}

export interface IdentityHeaders {
  /** Flat: name, value, name, value … */
  readonly headers: readonly string[]
  readonly warnings: readonly IdentityWarning[]
}

/** What status line, decision headers and connection headers leave of 4096 bytes, with room for a removal list. */
export const IDENTITY_BUDGET_BYTES = 3300

/**
 * Writes the whole set: user, email, groups, preferred username, assertion, then the route's extra claims.
 * @returns each header once, empty where the value is unknown, known to be incomplete, or over the budget: left out
 *   whole, never cut, groups first. Never throws.
 */
export const identityHeaders = (input: IdentityInput): IdentityHeaders => {
  const fields = fieldsOf(input)
  let bytes = 0
  for (const { header, value } of fields) bytes += header.length + 4 + value.length
  const left = bytes <= IDENTITY_BUDGET_BYTES ? NONE : overBudget(fields)
  const headers: string[] = []
  for (const field of fields) headers.push(field.header, left.has(field) ? '' : field.value)
  return { headers, warnings: warningsOf(fields, left) }
}

const NO_WARNINGS: readonly IdentityWarning[] = []

const warningsOf = (fields: readonly Field[], left: ReadonlySet<Field>): readonly IdentityWarning[] => {
  if (left.size === 0 && !fields.some((field) => field.incomplete)) return NO_WARNINGS
  return fields.flatMap((field): readonly IdentityWarning[] => {
    if (left.has(field)) return [{ header: field.header, why: 'over-budget' }]
    return field.incomplete ? [{ header: field.header, why: 'incomplete' }] : []
  })
}

const NONE: ReadonlySet<Field> = new Set()

/** The fields that find no room, when the others took theirs in the order of their ranks. */
const overBudget = (fields: readonly Field[]): ReadonlySet<Field> => {
  const without = new Set<Field>()
  let room = IDENTITY_BUDGET_BYTES - fields.reduce((sum, field) => sum + field.header.length + 4, 0)
  for (const field of fields.toSorted((one, other) => one.rank - other.rank)) {
    if (field.value.length <= room) room -= field.value.length
    else without.add(field)
  }
  return without
}

/**
 * The name that applications and the assertion know a caller by.
 * @param qualified see {@link IdentityInput}
 * @returns empty where the source maps `user` and did not assert it: another person's `sub` could be that name
 */
export const userOf = (principal: Principal, qualified: boolean): string => {
  if (qualified) return `${principal.source}|${principal.subject}`
  if (!principal.assertable.has('user') && !principal.claims.has('user')) return principal.subject
  const user = principal.claims.get('user')
  return user === undefined || typeof user === 'object' ? '' : String(user)
}

interface Field {
  readonly header: string
  readonly value: string
  readonly incomplete: boolean
  /** Lower ranks get their room first. */
  readonly rank: number
}

const fieldsOf = (input: IdentityInput): readonly Field[] => {
  const { names, principal } = input
  const user = principal === undefined ? (names.anonymousUser ?? '') : userOf(principal, input.qualified)
  const fields: Field[] = []
  const add = (field: Field): void => {
    if (field.header !== '') fields.push(field)
  }
  const claim = (header: string, name: string, rank: number): void =>
    add(claimField(header, name, rank, principal, names.groupSeparator))
  add({ header: names.user, value: headerText(user), incomplete: false, rank: 0 })
  claim(names.email, 'email', 1)
  claim(names.groups, 'groups', 5)
  claim(names.preferredUsername, 'preferred_username', 3)
  add({ header: names.assertion, value: headerText(input.assertion), incomplete: false, rank: 2 })
  for (const [header, name] of Object.entries(names.claims)) claim(header, name, 4)
  return fields
}

const claimField = (
  header: string,
  name: string,
  rank: number,
  principal: Principal | undefined,
  separator: string,
): Field => {
  const value = principal?.claims.get(name)
  const incomplete = value !== undefined && principal !== undefined && isIncomplete(principal, name)
  return { header, value: incomplete ? '' : claimText(value, separator), incomplete, rank }
}

/** A part of somebody's groups can be more than the whole: an application may refuse by group. */
const isIncomplete = (principal: Principal, name: string): boolean =>
  principal.cut.has(name) ||
  (name === 'groups' && (!principal.groupsComplete || principal.groupsTrimmed === true))

const claimText = (value: ClaimValue | undefined, separator: string): string => {
  if (value === undefined) return ''
  return typeof value === 'object' ? headerList(value.map(String), separator) : headerText(String(value))
}
