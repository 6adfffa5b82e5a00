// All routes compiled, ready to be matched. An exact host wins over a wildcard, whole: no merging (rules §1).
import { suffixOf, type HostName, type HostPattern } from './host-pattern.ts'
import { namedGroups } from './named-groups.ts'
import type { Route, Section } from './route.ts'
import { buildSectionTree, type SectionTree } from './section-tree.ts'
import { allSteps, type Steps } from './steps.ts'

export interface PolicySet {
  /** Content hash of the bytes that it was compiled from. */
  readonly revision: string
  readonly routes: ReadonlyMap<string, Route>
  readonly exactHosts: ReadonlyMap<HostName, SectionTree>
  /** Suffix of `*.suffix` → sections. */
  readonly wildcardHosts: ReadonlyMap<HostName, SectionTree>
  /** Claims that some rule or header reads, sorted: what a session captures. */
  readonly claims: readonly string[]
  /** Group values that some rule names, sorted. */
  readonly groups: readonly string[]
}

/**
 * Indexes compiled routes by host and path.
 * @param routes checked: no host and path in two of them
 * @param revision content hash of the policy files
 */
export const indexRoutes = (routes: readonly Route[], revision: string): PolicySet =>
  allSteps(indexSteps(routes, revision, undefined))

/**
 * The same, step by step.
 * @param earlier a set that shares routes with this one, so that less is left to do; the result does not depend on it
 */
export function* indexSteps(
  routes: readonly Route[],
  revision: string,
  earlier: PolicySet | undefined,
): Steps<PolicySet> {
  const claims = new Set<string>()
  const byId = new Map<string, Route>()
  for (const route of routes) {
    byId.set(route.id, route)
    for (const claim of route.claims) claims.add(claim)
    yield
  }
  return {
    revision,
    routes: byId,
    exactHosts: yield* treesByHost(routes, 'exact'),
    wildcardHosts: yield* treesByHost(routes, 'wildcard'),
    claims: [...claims].toSorted(),
    groups: yield* namedGroups(routes, earlier?.groups ?? []),
  }
}

function* treesByHost(
  routes: readonly Route[],
  kind: HostPattern['kind'],
): Steps<ReadonlyMap<HostName, SectionTree>> {
  const sections = new Map<HostName, Section[]>()
  for (const route of routes) {
    for (const pattern of route.hosts) {
      if (pattern.kind !== kind) continue
      const host = pattern.kind === 'exact' ? pattern.host : pattern.suffix
      const listed = sections.get(host)
      if (listed === undefined) sections.set(host, [...route.sections])
      else listed.push(...route.sections)
    }
    yield
  }
  const trees = new Map<HostName, SectionTree>()
  for (const [host, listed] of sections) {
    trees.set(host, buildSectionTree(listed))
    yield
  }
  return trees
}

/** The sections of a host, or undefined where no route owns it. */
export const sectionsOfHost = (set: PolicySet, host: HostName): SectionTree | undefined => {
  const exact = set.exactHosts.get(host)
  if (exact !== undefined) return exact
  const suffix = suffixOf(host)
  return suffix === undefined ? undefined : set.wildcardHosts.get(suffix)
}
