// All routes compiled, ready to be matched. An exact host wins over a wildcard, whole: no merging (rules §1).
import { suffixOf, type HostName } from './host-pattern.ts'
import type { Route, Section } from './route.ts'
import { buildSectionTree, type SectionTree } from './section-tree.ts'

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
export const indexRoutes = (routes: readonly Route[], revision: string): PolicySet => {
  const predicates = routes.flatMap((route) =>
    route.sections.flatMap((section) =>
      [...section.deny, ...section.allow].flatMap((rule) => rule.predicates),
    ),
  )
  const groups = predicates.flatMap((one) =>
    one.kind === 'groups' ? one.anyOf : one.kind === 'all_groups' ? one.allOf : [],
  )
  return {
    revision,
    routes: new Map(routes.map((route) => [route.id, route])),
    exactHosts: treesByHost(routes, 'exact'),
    wildcardHosts: treesByHost(routes, 'wildcard'),
    claims: [...new Set(routes.flatMap((route) => route.claims))].toSorted(),
    groups: [...new Set(groups)].toSorted(),
  }
}

const treesByHost = (
  routes: readonly Route[],
  kind: 'exact' | 'wildcard',
): ReadonlyMap<HostName, SectionTree> => {
  const owned = routes.flatMap((route) =>
    route.hosts
      .filter((pattern) => pattern.kind === kind)
      .map((pattern): readonly [HostName, readonly Section[]] => [
        pattern.kind === 'exact' ? pattern.host : pattern.suffix,
        route.sections,
      ]),
  )
  const byHost = Map.groupBy(owned, ([host]) => host)
  return new Map(
    [...byHost].map(([host, rows]) => [host, buildSectionTree(rows.flatMap(([, sections]) => sections))]),
  )
}

/** The sections of a host, or undefined where no route owns it. */
export const sectionsOfHost = (set: PolicySet, host: HostName): SectionTree | undefined => {
  const exact = set.exactHosts.get(host)
  if (exact !== undefined) return exact
  const suffix = suffixOf(host)
  return suffix === undefined ? undefined : set.wildcardHosts.get(suffix)
}
