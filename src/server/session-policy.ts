// What the policies in force want of a session: which claims to capture, and what may be left out of a full cookie.
import { createHash } from 'node:crypto'
import type { PolicySet } from '../policy/policy-set.ts'
import type { SignInPolicy } from '../signin/deps.ts'

/**
 * Derives it from a policy set; computed once for each set.
 * @param alwaysKept `session.claims`: kept though no policy reads them
 */
export const makeSessionPolicy = (alwaysKept: readonly string[]): ((set: PolicySet) => SignInPolicy) => {
  const known = new WeakMap<PolicySet, SignInPolicy>()
  return (set) => {
    const earlier = known.get(set)
    if (earlier !== undefined) return earlier
    const derived = derive(set, alwaysKept)
    known.set(set, derived)
    return derived
  }
}

const derive = (set: PolicySet, alwaysKept: readonly string[]): SignInPolicy => {
  const sections = [...set.routes.values()].flatMap((route) => route.sections)
  const readByRules = new Set(sections.flatMap((section) => section.reads.claims))
  return {
    claims: [...new Set([...set.claims, ...alwaysKept])].toSorted(),
    fit: {
      headerOnlyClaims: new Set(set.claims.filter((name) => !readByRules.has(name))),
      ...namedGroups(set.groups),
    },
  }
}

type NamedGroups = Pick<SignInPolicy['fit'], 'namedGroups' | 'groupsRevision'>

const groupsKnown = new WeakMap<readonly string[], NamedGroups>()

/** Sets that name the same groups share one list of them; it may be long. */
const namedGroups = (groups: readonly string[]): NamedGroups => {
  const known = groupsKnown.get(groups)
  if (known !== undefined) return known
  const derived = { namedGroups: new Set(groups), groupsRevision: groupsRevision(groups) }
  groupsKnown.set(groups, derived)
  return derived
}

const groupsRevision = (groups: readonly string[]): string =>
  `g:${createHash('sha256').update(JSON.stringify(groups)).digest('hex').slice(0, 12)}`
