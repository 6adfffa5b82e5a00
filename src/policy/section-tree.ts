// Which section owns a path: exact beats more segments beats a literal over `*` (rules §1). A tree over segments,
// so that ten thousand routes on one host cost as little as ten.
import { segmentsOf } from './path-pattern.ts'
import type { Section } from './route.ts'

export interface SectionTree {
  readonly literal: ReadonlyMap<string, SectionTree>
  readonly star: SectionTree | undefined
  readonly exact: Section | undefined
  readonly below: Section | undefined
}

/**
 * Builds the tree of all sections that share a host.
 * @param sections no two of them with the same path and exactness: `check` and load refuse that as E02.
 */
export const buildSectionTree = (sections: readonly Section[]): SectionTree => grow(sections, 0)

const grow = (sections: readonly Section[], depth: number): SectionTree => {
  const here = sections.filter((section) => section.path.segments.length === depth)
  const deeper = Map.groupBy(
    sections.filter((section) => section.path.segments.length > depth),
    (section) => section.path.segments[depth] ?? '',
  )
  const star = deeper.get('*')
  const literal = [...deeper].filter(([segment]) => segment !== '*')
  return {
    literal: new Map(literal.map(([segment, inside]) => [segment, grow(inside, depth + 1)])),
    star: star === undefined ? undefined : grow(star, depth + 1),
    exact: here.find((section) => !section.path.below),
    below: here.find((section) => section.path.below),
  }
}

/**
 * Finds the section that owns a path.
 * @param path folded; a `*` covers one non-empty segment of it
 * @returns the most specific section, or undefined. Never throws.
 */
export const findSection = (tree: SectionTree, path: string): Section | undefined => {
  // Most hosts have one section, `/` and all below.
  if (tree.literal.size === 0 && tree.star === undefined && path !== '/') return tree.below
  const segments = segmentsOf(path)
  return findExact(tree, segments, 0) ?? findDeepest(tree, segments, 0)?.section
}

const findExact = (tree: SectionTree, segments: readonly string[], depth: number): Section | undefined => {
  if (depth === segments.length) return tree.exact
  const segment = segments[depth] ?? ''
  const literal = tree.literal.get(segment)
  const found = literal === undefined ? undefined : findExact(literal, segments, depth + 1)
  if (found !== undefined || tree.star === undefined || segment === '') return found
  return findExact(tree.star, segments, depth + 1)
}

interface Deepest {
  readonly section: Section
  readonly depth: number
}

const findDeepest = (tree: SectionTree, segments: readonly string[], depth: number): Deepest | undefined => {
  const here = tree.below === undefined ? undefined : { section: tree.below, depth }
  if (depth === segments.length) return here
  const segment = segments[depth] ?? ''
  const literal = tree.literal.get(segment)
  const viaLiteral = literal === undefined ? undefined : findDeepest(literal, segments, depth + 1)
  const viaStar =
    tree.star === undefined || segment === '' ? undefined : findDeepest(tree.star, segments, depth + 1)
  if (viaLiteral === undefined) return viaStar ?? here
  return viaStar !== undefined && viaStar.depth > viaLiteral.depth ? viaStar : viaLiteral
}
