// A compiled rule beside the lines that wrote it, for those who judge the one and point at the other.
import type { Route, Section } from '../policy/route.ts'
import type { Rule } from '../policy/rule.ts'
import type { LoadedPolicies } from './load.ts'
import type { PolicyDocument } from './parse.ts'
import type { RuleEntry } from './schema-rule.ts'
import type { SectionEntry } from './schema.ts'
import type { DocumentPath } from './yaml-range.ts'

export interface WrittenSection {
  readonly document: PolicyDocument
  readonly route: Route
  readonly section: Section
  readonly entry: SectionEntry
  /** The path of the section in its document. */
  readonly at: DocumentPath
}

export interface WrittenRule extends WrittenSection {
  readonly rule: Rule
  readonly written: RuleEntry
  /** The path of the rule in its document. */
  readonly ruleAt: DocumentPath
}

/** Every section of a set, in the order of files and lines. */
export const writtenSections = (loaded: LoadedPolicies): readonly WrittenSection[] =>
  loaded.documents.flatMap((document) => {
    const route = loaded.set.routes.get(document.entry.route)
    if (route === undefined) return []
    return document.entry.sections.flatMap((entry, index): readonly WrittenSection[] => {
      const section = route.sections[index]
      return section === undefined ? [] : [{ document, route, section, entry, at: ['sections', index] }]
    })
  })

/** The rules that a section wrote itself; its own denies come before the inherited ones. */
export const writtenRules = (one: WrittenSection): readonly WrittenRule[] => {
  const rows = (
    effect: Rule['effect'],
    rules: readonly Rule[],
    entries: readonly RuleEntry[],
  ): readonly WrittenRule[] =>
    entries.flatMap((written, index) => {
      const rule = rules[index]
      return rule === undefined ? [] : [{ ...one, rule, written, ruleAt: [...one.at, effect, index] }]
    })
  return [
    ...rows('deny', one.section.deny, one.entry.deny ?? []),
    ...rows('allow', one.section.allow, one.entry.allow),
  ]
}

/** The denies that a section wrote itself. */
export const ownDenies = (one: WrittenSection): readonly Rule[] =>
  one.section.deny.slice(0, one.entry.deny?.length ?? 0)
