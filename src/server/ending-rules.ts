// Rules that end soon: a metric and a daily line from a fortnight before, so that nobody is surprised by a date.
import type { PolicySet } from '../policy/policy-set.ts'

const NOTICE_MS = 14 * 86_400_000

export interface EndingRule {
  readonly route: string
  readonly rule: string
  readonly inSeconds: number
}

/** Every rule with an `until` that lies less than a fortnight ahead, once. */
export const endingRules = (set: PolicySet, nowMs: number): readonly EndingRule[] => {
  const rules = [...set.routes.values()].flatMap((route) =>
    route.sections.flatMap((section) =>
      [...section.deny, ...section.allow].map((rule) => ({ route: route.id, rule })),
    ),
  )
  const ending = rules.flatMap(({ route, rule }) =>
    rule.predicates
      .filter((predicate) => predicate.kind === 'until')
      .filter(({ atMs }) => atMs > nowMs && atMs - nowMs <= NOTICE_MS)
      .map(({ atMs }): EndingRule => ({
        route,
        rule: rule.id,
        inSeconds: Math.floor((atMs - nowMs) / 1000),
      })),
  )
  return [...new Map(ending.map((one) => [`${one.route}#${one.rule}`, one])).values()]
}
