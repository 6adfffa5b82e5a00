// Denies of a parent section hold in its children, allows do not. A parent is any less specific section that shares
// paths with the child, so that order and wildcards never open a hole.
import { pathCovers, type PathPattern } from '../policy/path-pattern.ts'
import type { Rule } from '../policy/rule.ts'

/** A section's place and its own denies. */
export interface DenyingSection {
  readonly path: PathPattern
  readonly deny: readonly Rule[]
}

/**
 * The denies of other sections of the route that hold here too.
 * @param section where
 * @param all every section of the route, this one included
 * @returns each with `from` as written; where only a part of the paths is shared, narrowed to that part. Never throws.
 */
export const inheritedDenies = (section: DenyingSection, all: readonly DenyingSection[]): readonly Rule[] =>
  all
    .filter((other) => other !== section && sharesPaths(other.path, section.path))
    .toSorted((one, other) => one.path.segments.length - other.path.segments.length)
    .flatMap((parent) =>
      pathCovers(parent.path, section.path)
        ? parent.deny
        : parent.deny.map((rule) => within(rule, parent.path)),
    )

const within = (rule: Rule, path: PathPattern): Rule => ({
  ...rule,
  predicates: [{ kind: 'paths', anyOf: [path] }, ...rule.predicates],
})

/** Some path that `child` is picked for lies in `parent` too. */
const sharesPaths = (parent: PathPattern, child: PathPattern): boolean => {
  if (!parent.below || parent.segments.length > child.segments.length) return false
  const shared = parent.segments.every((segment, index) => {
    const other = child.segments[index]
    return segment === '*' || other === '*' || segment === other
  })
  return shared && !isPickedBefore(parent, child)
}

/** Of two sections of one depth the one with the earlier literal is picked for every path that they share. */
const isPickedBefore = (one: PathPattern, other: PathPattern): boolean => {
  if (one.segments.length !== other.segments.length || !other.below) return false
  const at = one.segments.findIndex((segment, index) => segment !== other.segments[index])
  return at >= 0 && other.segments[at] === '*'
}
