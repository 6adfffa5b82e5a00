// Step 2: which route and which sections own a request. Every view of the path picks its own section.
import type { RequestFacts } from './facts.ts'
import { sectionsOfHost, type PolicySet } from './policy-set.ts'
import type { Route, Section } from './route.ts'
import { findSection } from './section-tree.ts'

export type Match =
  | { readonly kind: 'matched'; readonly route: Route; readonly sections: readonly [Section, ...Section[]] }
  /** No route owns the host, or some view of the path lies outside every section. */
  | { readonly kind: 'none' }
  /** Two views of one path lie in different routes. */
  | { readonly kind: 'conflict' }

/**
 * Finds the route of a request and the sections that its path views pick.
 * @param set the policy set in force
 * @param facts untrusted bytes, already read into facts. Never throws.
 */
export const matchRoute = (set: PolicySet, facts: RequestFacts): Match => {
  const tree = sectionsOfHost(set, facts.host)
  if (tree === undefined) return { kind: 'none' }
  const { views } = facts.path
  const first = findSection(tree, views[0])
  if (first === undefined) return { kind: 'none' }
  if (views.length === 1) return matched(set, [first])
  const others = views.slice(1).map((view) => findSection(tree, view))
  if (others.includes(undefined)) return { kind: 'none' }
  const distinct = [...new Set([first, ...others.filter((section) => section !== undefined)])]
  if (distinct.some((section) => section.route !== first.route)) return { kind: 'conflict' }
  return matched(set, [first, ...distinct.filter((section) => section !== first)])
}

const matched = (set: PolicySet, sections: readonly [Section, ...Section[]]): Match => {
  const route = set.routes.get(sections[0].route)
  return route === undefined ? { kind: 'none' } : { kind: 'matched', route, sections }
}
