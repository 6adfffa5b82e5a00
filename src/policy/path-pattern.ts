// Paths as a policy writes them: literal, `*` for one non-empty segment, a final `/**` for "and below".
import { foldPath } from './path-views.ts'

/** A compiled path of a rule or of a section. `segments` are folded, `rawSegments` keep their case. */
export interface PathPattern {
  readonly text: string
  readonly segments: readonly string[]
  readonly rawSegments: readonly string[]
  /** True: the path and everything below it, segment by segment. */
  readonly below: boolean
}

/** The segments of a folded path; `/` has none. */
export const segmentsOf = (path: string): readonly string[] => (path === '/' ? [] : path.slice(1).split('/'))

/**
 * Compiles a path of a policy file.
 * @param text trusted and already checked: absolute, without query, `*` only as a whole segment
 * @param below whether it covers what lies below it. Never throws.
 */
export const compilePath = (text: string, below: boolean): PathPattern => ({
  text,
  segments: segmentsOf(foldPath(text)),
  rawSegments: segmentsOf(dropTrailingSlash(text)),
  below,
})

const dropTrailingSlash = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path

/** True where the folded path is matched by the pattern. */
export const pathMatches = (pattern: PathPattern, view: string): boolean =>
  segmentsMatch(pattern.segments, segmentsOf(view), pattern.below)

/** True where the raw path lies in the pattern letter by letter, case included: what a bypass asks for. */
export const rawPathMatches = (pattern: PathPattern, raw: string): boolean =>
  segmentsMatch(pattern.rawSegments, segmentsOf(dropTrailingSlash(raw)), pattern.below)

const segmentsMatch = (pattern: readonly string[], path: readonly string[], below: boolean): boolean => {
  if (below ? path.length < pattern.length : path.length !== pattern.length) return false
  return pattern.every((segment, index) => (segment === '*' ? path[index] !== '' : segment === path[index]))
}

/** True where everything that `inner` matches is matched by `outer` too. */
export const pathCovers = (outer: PathPattern, inner: PathPattern): boolean => {
  if (inner.below && !outer.below) return false
  if (
    outer.below
      ? inner.segments.length < outer.segments.length
      : inner.segments.length !== outer.segments.length
  )
    return false
  return outer.segments.every((segment, index) => segment === '*' || segment === inner.segments[index])
}
