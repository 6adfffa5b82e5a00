// One rule as written → its predicates. Predicates that look at the request alone come first: they cost nothing.
import { parseMoment, endMs } from './calendar.ts'
import { networksNamed, type Directory } from './directory.ts'
import { parseDurationSeconds } from './duration.ts'
import { compilePath, type PathPattern } from '../policy/path-pattern.ts'
import type { Predicate, Rule } from '../policy/rule.ts'
import type { RuleEntry } from './schema-rule.ts'

/** The path of a rule: a final `/**` is the path and everything below it. */
export const compileRulePath = (text: string): PathPattern => {
  const below = text.endsWith('/**')
  return compilePath(below ? text.slice(0, -3) || '/' : text, below)
}

/**
 * Compiles one rule.
 * @param entry judged by every law already
 * @param from the path of the section that writes it
 */
export const compileRule = (
  entry: RuleEntry,
  effect: Rule['effect'],
  route: string,
  from: string,
  directory: Directory,
): Rule => ({
  id: entry.id,
  name: `${route}#${entry.id}`,
  effect,
  predicates: [...requestPredicates(entry, directory), ...callerPredicates(entry)],
  from,
  why: entry.why,
  review: entry.review,
})

const requestPredicates = (entry: RuleEntry, directory: Directory): readonly Predicate[] => {
  const found: Predicate[] = []
  if (entry.methods !== undefined) found.push({ kind: 'methods', anyOf: entry.methods })
  if (entry.paths !== undefined) found.push({ kind: 'paths', anyOf: entry.paths.map(compileRulePath) })
  if (entry.until !== undefined) found.push(...untilPredicate(entry.until))
  if (entry.preflight === true) found.push({ kind: 'preflight' })
  if (entry.from_networks !== undefined)
    found.push({
      kind: 'from_networks',
      anyOf: entry.from_networks.flatMap((name) => networksNamed(directory, name) ?? []),
      labels: entry.from_networks,
    })
  if (entry.anyone === true) found.push({ kind: 'anyone' })
  return found
}

/** The schema has read the date before; a date that cannot be read has ended. */
const untilPredicate = (text: string): readonly Predicate[] => {
  const moment = parseMoment(text)
  return [{ kind: 'until', atMs: moment === undefined ? Number.NEGATIVE_INFINITY : endMs(moment), text }]
}

const lower = (texts: readonly string[]): readonly string[] => texts.map((text) => text.toLowerCase())

const callerPredicates = (entry: RuleEntry): readonly Predicate[] => {
  const found: Predicate[] = []
  if (entry.cred !== undefined) found.push({ kind: 'cred', anyOf: entry.cred })
  if (entry.authenticated === true) found.push({ kind: 'authenticated' })
  if (entry.users !== undefined) found.push({ kind: 'users', anyOf: entry.users })
  if (entry.clients !== undefined) found.push({ kind: 'clients', anyOf: entry.clients })
  if (entry.service_accounts !== undefined)
    found.push({ kind: 'service_accounts', anyOf: entry.service_accounts })
  if (entry.emails !== undefined) found.push({ kind: 'emails', anyOf: lower(entry.emails) })
  if (entry.email_domains !== undefined)
    found.push({ kind: 'email_domains', anyOf: lower(entry.email_domains) })
  if (entry.groups !== undefined) found.push({ kind: 'groups', anyOf: entry.groups })
  if (entry.all_groups !== undefined) found.push({ kind: 'all_groups', allOf: entry.all_groups })
  for (const [name, value] of Object.entries(entry.claims ?? {}))
    found.push({ kind: 'claim', name, anyOf: [value].flat() })
  return [...found, ...proofPredicates(entry)]
}

const proofPredicates = (entry: RuleEntry): readonly Predicate[] => {
  const found: Predicate[] = []
  if (entry.amr !== undefined) found.push({ kind: 'amr', anyOf: entry.amr })
  if (entry.acr !== undefined) found.push({ kind: 'acr', anyOf: entry.acr })
  if (entry.mfa === true) found.push({ kind: 'mfa' })
  if (entry.auth_age !== undefined)
    found.push({ kind: 'auth_age', maxSeconds: parseDurationSeconds(entry.auth_age) ?? 0 })
  return found
}
