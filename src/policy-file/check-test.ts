// In-file tests that fail, and rules that no test reaches. Who runs the tests is not known here.
import type { Rule } from '../policy/rule.ts'
import type { PolicyDocument } from './parse.ts'
import type { Finding } from './placed.ts'
import { writtenRules, type WrittenSection } from './written-rule.ts'

/** What became of one in-file test. */
export interface TestVerdict {
  readonly document: PolicyDocument
  /** Index in `tests`. */
  readonly index: number
  /** Undefined where it passed. */
  readonly failure: { readonly what: string; readonly why: string; readonly mend: string } | undefined
  /** `ruleKey` of the rule that decided, if one did. */
  readonly reached: readonly string[]
}

/** A rule as its section wrote it, wherever it was inherited to. */
export const ruleKey = (rule: Rule): string => `${rule.name}@${rule.from}`

/** Never throws. */
export const testFindings = (
  sections: readonly WrittenSection[],
  tests: readonly TestVerdict[],
): readonly Finding[] => {
  const reached = new Set(tests.flatMap((test) => test.reached))
  const failed = tests.flatMap(({ document, index, failure }): readonly Finding[] =>
    failure === undefined
      ? []
      : [{ document, path: ['tests', index, 'expect'], part: 'value', fault: { code: 'E11', ...failure } }],
  )
  const unreached = sections.flatMap(writtenRules).filter(({ rule }) => !reached.has(ruleKey(rule)))
  return [
    ...failed,
    ...unreached.map(({ document, rule, ruleAt }): Finding => {
      const what = `no test reaches \`${rule.id}\``
      const mend = `add one to \`tests\` whose caller and path hit it, like \`expect: ${rule.effect} ${rule.id}\``
      const fault = { code: 'W10', what, why: 'a change to it would go unnoticed', mend } as const
      return { document, path: [...ruleAt, 'id'], part: 'value', fault }
    }),
  ]
}
