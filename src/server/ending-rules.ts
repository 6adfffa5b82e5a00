// Rules that end soon: a metric and a daily line from a fortnight before, so that nobody is surprised by a date.
import type { PolicySet } from '../policy/policy-set.ts'
import type { Logger } from '../telemetry/logger.ts'

const DAY_MS = 86_400_000
const NOTICE_MS = 14 * DAY_MS

export interface EndingRule {
  readonly route: string
  readonly rule: string
  readonly endsAtMs: number
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
        endsAtMs: atMs,
        inSeconds: Math.floor((atMs - nowMs) / 1000),
      })),
  )
  // Two sections may have a rule of one name: the soonest end is what somebody has to know.
  const soonestLast = ending.toSorted((one, other) => other.endsAtMs - one.endsAtMs)
  return [...new Map(soonestLast.map((one) => [`${one.route}#${one.rule}`, one])).values()]
}

/** How often the rules that end soon are told, beside each load. */
export const ENDING_NOTICE_MS = DAY_MS

/** Writes one line for each rule that ends soon. */
export const tellEndingRules = (logger: Logger, set: PolicySet, nowMs: number): void => {
  for (const { route, rule, endsAtMs } of endingRules(set, nowMs)) {
    const ends = new Date(endsAtMs).toISOString()
    logger.warn({ route, rule, ends, days: Math.floor((endsAtMs - nowMs) / DAY_MS) }, 'a rule ends soon')
  }
}
