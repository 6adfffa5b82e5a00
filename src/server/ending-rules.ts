// Rules that end soon: a metric and a daily line from a fortnight before, so that nobody is surprised by a date.
import type { PolicySet } from '../policy/policy-set.ts'
import type { Route } from '../policy/route.ts'
import type { Logger } from '../telemetry/logger.ts'

const DAY_MS = 86_400_000
const NOTICE_MS = 14 * DAY_MS

export interface EndingRule {
  readonly route: string
  readonly rule: string
  readonly endsAtMs: number
  readonly inSeconds: number
}

interface DatedRule {
  readonly rule: string
  readonly endsAtMs: number
}

const datedBy = new WeakMap<Route, readonly DatedRule[]>()

/** The rules of a route that end some day; each scrape asks, and of fifty thousand rules few do. */
const datedRules = (route: Route): readonly DatedRule[] => {
  const known = datedBy.get(route)
  if (known !== undefined) return known
  const rules = route.sections.flatMap((section) => [...section.deny, ...section.allow])
  const dated = rules.flatMap(({ id, predicates }) =>
    predicates.flatMap((one): readonly DatedRule[] =>
      one.kind === 'until' ? [{ rule: id, endsAtMs: one.atMs }] : [],
    ),
  )
  datedBy.set(route, dated)
  return dated
}

/** Every rule with an `until` that lies less than a fortnight ahead, once. */
export const endingRules = (set: PolicySet, nowMs: number): readonly EndingRule[] => {
  const ending = [...set.routes.values()].flatMap((route) =>
    datedRules(route)
      .filter(({ endsAtMs }) => endsAtMs > nowMs && endsAtMs - nowMs <= NOTICE_MS)
      .map(({ rule, endsAtMs }): EndingRule => ({
        route: route.id,
        rule,
        endsAtMs,
        inSeconds: Math.floor((endsAtMs - nowMs) / 1000),
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
