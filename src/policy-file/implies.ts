// Whether one rule can only hit where another hits too. Cautious: where it cannot be told from the text, the answer is no.
import type { Predicate, Rule } from '../policy/rule.ts'
import { SUBJECT_KINDS } from '../policy/rule.ts'
import { pathCovers } from '../policy/path-pattern.ts'

/** True where everything that `narrow` hits is hit by `wide`. Never throws. */
export const ruleImplies = (narrow: Rule, wide: Rule): boolean =>
  allImplied(narrow.predicates, wide.predicates)

/** The same for what the two say about the caller alone, methods, paths, proofs and dates apart. */
export const subjectImplies = (narrow: Rule, wide: Rule): boolean =>
  allImplied(
    narrow.predicates,
    wide.predicates.filter((one) => SUBJECT_KINDS.has(one.kind)),
  )

/** The same rule once for each single group, address, person or client that it names. */
export const alternativesOf = (rule: Rule): readonly Rule[] => {
  const at = rule.predicates.findIndex(isNameList)
  const listed = rule.predicates[at]
  if (listed === undefined || !isNameList(listed)) return [rule]
  return listed.anyOf.map((name) => ({
    ...rule,
    predicates: rule.predicates.with(at, { ...listed, anyOf: [name] }),
  }))
}

type NameList = Extract<
  Predicate,
  { kind: 'groups' | 'users' | 'clients' | 'service_accounts' | 'emails' | 'email_domains' }
>

const NAME_LISTS: ReadonlySet<string> = new Set<NameList['kind']>([
  'groups',
  'users',
  'clients',
  'service_accounts',
  'emails',
  'email_domains',
])

const isNameList = (predicate: Predicate): predicate is NameList => NAME_LISTS.has(predicate.kind)

const allImplied = (narrow: readonly Predicate[], wide: readonly Predicate[]): boolean =>
  wide.every((outer) => outer.kind === 'anyone' || narrow.some((inner) => implies(inner, outer)))

const within = (values: readonly unknown[], allowed: readonly unknown[]): boolean =>
  values.every((value) => allowed.includes(value))

const implies = (inner: Predicate, outer: Predicate): boolean => {
  if (inner.kind === 'all_groups' && outer.kind === 'groups')
    return inner.allOf.some((group) => outer.anyOf.includes(group))
  if (inner.kind === 'emails' && outer.kind === 'email_domains')
    return inner.anyOf.every((email) => outer.anyOf.includes(email.slice(email.lastIndexOf('@') + 1)))
  if (inner.kind !== outer.kind) return false
  return sameKindImplies(inner, outer)
}

const sameKindImplies = (inner: Predicate, outer: Predicate): boolean => {
  if ('anyOf' in inner && 'anyOf' in outer) return listImplies(inner, outer)
  if (inner.kind === 'all_groups' && outer.kind === 'all_groups') return within(outer.allOf, inner.allOf)
  if (inner.kind === 'until' && outer.kind === 'until') return inner.atMs <= outer.atMs
  if (inner.kind === 'auth_age' && outer.kind === 'auth_age') return inner.maxSeconds <= outer.maxSeconds
  return true
}

type ListPredicate = Extract<Predicate, { readonly anyOf: readonly unknown[] }>

const listImplies = (inner: ListPredicate, outer: ListPredicate): boolean => {
  if (inner.kind === 'paths' && outer.kind === 'paths')
    return inner.anyOf.every((path) => outer.anyOf.some((other) => pathCovers(other, path)))
  if (inner.kind === 'from_networks' && outer.kind === 'from_networks')
    return within(inner.labels, outer.labels)
  if (inner.kind === 'claim' && outer.kind === 'claim')
    return inner.name === outer.name && within(inner.anyOf, outer.anyOf)
  if (inner.kind === 'methods' && outer.kind === 'methods')
    return inner.anyOf.every(
      (method) => outer.anyOf.includes(method) || (method === 'HEAD' && outer.anyOf.includes('GET')),
    )
  return within(inner.anyOf, outer.anyOf)
}
