// The group values that rules name. Of fifty thousand rules only those of a changed route are read again, and only what
// is new is sorted.
import type { Route } from './route.ts'
import type { Steps } from './steps.ts'

const namedBy = new WeakMap<Route, readonly string[]>()

/** The groups that rules of one route name, each once, sorted; remembered for as long as the route lives. */
const groupsOf = (route: Route): readonly string[] => {
  const known = namedBy.get(route)
  if (known !== undefined) return known
  const rules = route.sections.flatMap((section) => [...section.deny, ...section.allow])
  const named = rules
    .flatMap((rule) => rule.predicates)
    .flatMap((one) => (one.kind === 'groups' ? one.anyOf : one.kind === 'all_groups' ? one.allOf : []))
  const groups = [...new Set(named)].toSorted()
  namedBy.set(route, groups)
  return groups
}

const REST_AFTER = 500

/**
 * Everything that rules of these routes name.
 * @param earlier what an earlier set named, sorted; returned itself where nothing changed
 * @returns each once, sorted by code units
 */
export function* namedGroups(routes: readonly Route[], earlier: readonly string[]): Steps<readonly string[]> {
  const named = new Set<string>()
  for (const route of routes) {
    for (const group of groupsOf(route)) named.add(group)
    yield
  }
  const kept: string[] = []
  for (const [index, group] of earlier.entries()) {
    if (named.delete(group)) kept.push(group)
    if (index % REST_AFTER === 0) yield
  }
  if (named.size === 0 && kept.length === earlier.length) return earlier
  return yield* merged([kept, ...sortedRuns([...named])])
}

/** Sorted pieces short enough to be sorted in one step. */
const sortedRuns = (texts: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(texts.length / REST_AFTER) }, (_, index) =>
    texts.slice(index * REST_AFTER, (index + 1) * REST_AFTER).toSorted(),
  )

/** Two by two, so that each text is moved a few times only. */
function* merged(lists: readonly (readonly string[])[]): Steps<readonly string[]> {
  let left = lists
  while (left.length > 1) {
    const next: (readonly string[])[] = []
    for (let index = 0; index < left.length; index += 2)
      next.push(yield* mergedTwo(left[index] ?? [], left[index + 1] ?? []))
    left = next
  }
  return left[0] ?? []
}

function* mergedTwo(one: readonly string[], other: readonly string[]): Steps<readonly string[]> {
  if (other.length === 0) return one
  const both: string[] = []
  let [here, there] = [0, 0]
  while (both.length < one.length + other.length) {
    const [first, second] = [one[here], other[there]]
    if (second === undefined || (first !== undefined && first < second)) {
      both.push(first ?? '')
      here += 1
    } else {
      both.push(second)
      there += 1
    }
    if (both.length % REST_AFTER === 0) yield
  }
  return both
}
