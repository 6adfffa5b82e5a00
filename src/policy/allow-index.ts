// Which allow rules can hit for a caller at all. Long lists of rules are lists of groups: of fifty teams' rules, those of
// the caller's own teams are walked, the others would miss.
import type { ClaimScalar, Principal } from './principal.ts'
import type { Section } from './route.ts'
import type { Rule } from './rule.ts'

/** Below this many rules, walking them all costs less than choosing. */
const WORTH_IT = 8

interface AllowIndex {
  /** Group → places of the rules that miss without it. */
  readonly byGroup: ReadonlyMap<ClaimScalar, readonly number[]>
  /** Places of the rules that ask for no group. */
  readonly others: readonly number[]
}

const indexes = new WeakMap<Section, AllowIndex>()

/**
 * The allow rules of a section that a walk has to look at, in their order.
 * @param principal undefined where nobody is known: then a rule of groups is unknown, and no miss
 * @returns every rule that would not simply miss; perhaps some that would. Never throws.
 */
export const allowsToWalk = (section: Section, principal: Principal | undefined): readonly Rule[] => {
  const { allow } = section
  if (allow.length < WORTH_IT || principal === undefined) return allow
  const groups = wholeGroups(principal)
  return groups === undefined || groups.length > allow.length ? allow : chosen(section, groups)
}

/** Undefined where the groups are not known for certain: a rule that asks for one may then be more than a miss. */
const wholeGroups = (principal: Principal): readonly ClaimScalar[] | undefined => {
  if (!principal.groupsComplete || principal.cut.has('groups')) return undefined
  const groups = principal.claims.get('groups')
  return groups === undefined || typeof groups === 'object' ? groups : [groups]
}

const chosen = (section: Section, groups: readonly ClaimScalar[]): readonly Rule[] => {
  const index = indexOf(section)
  const places = new Set(index.others)
  for (const group of groups) for (const place of index.byGroup.get(group) ?? []) places.add(place)
  return section.allow.filter((_, place) => places.has(place))
}

const indexOf = (section: Section): AllowIndex => {
  const known = indexes.get(section)
  if (known !== undefined) return known
  const byGroup = new Map<ClaimScalar, number[]>()
  const others: number[] = []
  for (const [place, rule] of section.allow.entries()) {
    const needed = neededGroups(rule)
    if (needed === undefined) others.push(place)
    for (const group of needed ?? []) byGroup.set(group, [...(byGroup.get(group) ?? []), place])
  }
  const index = { byGroup, others }
  indexes.set(section, index)
  return index
}

/** Groups of which a caller must have one, or the rule misses; undefined where it asks for none. */
const neededGroups = (rule: Rule): readonly string[] | undefined => {
  for (const predicate of rule.predicates) {
    if (predicate.kind === 'groups') return predicate.anyOf
    if (predicate.kind === 'all_groups') return predicate.allOf.slice(0, 1)
  }
  return undefined
}
