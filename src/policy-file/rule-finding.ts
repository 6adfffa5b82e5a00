// A finding about one rule, and the predicates that it is about.
import type { Predicate } from '../policy/rule.ts'
import type { IssueCode } from './issue.ts'
import type { Finding } from './placed.ts'
import type { WrittenRule } from './written-rule.ts'
import type { DocumentPath } from './yaml-range.ts'

/** Places a finding at a path below a rule. */
export const finding = (
  one: WrittenRule,
  path: DocumentPath,
  part: 'key' | 'value',
  code: IssueCode,
  words: readonly [what: string, why: string, mend: string],
): Finding => {
  const [what, why, mend] = words
  return { document: one.document, path: [...one.ruleAt, ...path], part, fault: { code, what, why, mend } }
}

/** The predicate of a kind, where the rule has one. */
export const predicateOf = <Kind extends Predicate['kind']>(
  one: WrittenRule,
  kind: Kind,
): Extract<Predicate, { kind: Kind }> | undefined =>
  one.rule.predicates.find(
    (predicate): predicate is Extract<Predicate, { kind: Kind }> => predicate.kind === kind,
  )
