// Sections that are not what their author may think: an exact one that narrows, a child that drops an allow, a second
// file that escapes a deny.
import { pathCovers } from '../policy/path-pattern.ts'
import type { Rule } from '../policy/rule.ts'
import { alternativesOf, ruleImplies, subjectImplies } from './implies.ts'
import type { Fault } from './issue.ts'
import { parentOf, type Neighbours } from './neighbour.ts'
import type { Finding } from './placed.ts'
import { ownDenies, type WrittenSection } from './written-rule.ts'

/** Never throws. */
export const sectionFindings = (sections: readonly WrittenSection[], near: Neighbours): readonly Finding[] =>
  sections.flatMap((one) => {
    const parent = parentOf(one, near)
    return [...(parent === undefined ? [] : childFindings(one, parent)), ...escaped(one, near)]
  })

const finding = (one: WrittenSection, fault: Fault): Finding => ({
  document: one.document,
  path: [...one.at, 'path'],
  part: 'value',
  fault,
})

const quoted = (rules: readonly Rule[]): string => rules.map((rule) => `\`${rule.id}\``).join(', ')

const childFindings = (one: WrittenSection, parent: WrittenSection): readonly Finding[] => {
  const dropped = parent.section.allow.filter(
    (rule) => reaches(rule, one) && isDropped(rule, one.section.allow),
  )
  const isExact = !one.section.path.below
  if (isExact && (dropped.length > 0 || ownDenies(one).length > 0))
    return [finding(one, narrows(one, parent))]
  // An empty allow says that it closes; it need not be said again.
  if (isExact || dropped.length === 0 || one.section.allow.length === 0) return []
  return [
    finding(one, {
      code: 'W22',
      what: `\`${one.entry.path}\` drops ${quoted(dropped)} of \`${parent.entry.path}\``,
      why: 'denies are inherited, allows are not: those callers are refused here',
      mend: 'repeat the rule here if they are meant to pass',
    }),
  ]
}

/** A rule that names its paths counts only where one of them can lie in the section. */
const reaches = (rule: Rule, { section }: WrittenSection): boolean => {
  const paths = rule.predicates.find((predicate) => predicate.kind === 'paths')?.anyOf
  return paths?.some((path) => pathCovers(section.path, path) || pathCovers(path, section.path)) ?? true
}

/** Each of its alternatives may be kept by another rule. */
const isDropped = (rule: Rule, kept: readonly Rule[]): boolean =>
  alternativesOf(rule).some((one) => !kept.some((own) => subjectImplies(one, own)))

const narrows = (one: WrittenSection, parent: WrittenSection): Fault => {
  const path = one.entry.path === '/' ? '' : one.entry.path.replace(/\/$/, '')
  return {
    code: 'W21',
    what: `the exact section \`${one.entry.path}\` is narrower than \`${parent.entry.path}\``,
    why: `its neighbours, like \`${path}/x\`, fall to \`${parent.entry.path}\` and stay as open as that`,
    mend: 'drop `exact: true` if what lies below is meant too',
  }
}

/** Denies of other files that cover this section's paths, and that no deny here repeats. */
const escaped = (one: WrittenSection, near: Neighbours): readonly Finding[] =>
  near(one.route)
    .filter((other) => other.route !== one.route && pathCovers(other.section.path, one.section.path))
    .flatMap((other) => {
      const missing = ownDenies(other).filter(
        (deny) => !one.section.deny.some((own) => ruleImplies(deny, own)),
      )
      if (missing.length === 0) return []
      return [
        finding(one, {
          code: 'W23',
          what: `\`${one.entry.path}\` escapes ${quoted(missing)} of ${other.document.file.path}`,
          why: 'denies hold within one file',
          mend: 'repeat them here if they are meant to hold',
        }),
      ]
    })
