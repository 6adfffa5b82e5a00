// When the answer may change by itself, with no new request and no new policy: the end of a cached decision.
import { STEP_UP_MEMORY_SECONDS } from './walk-rule.ts'
import type { Principal } from './principal.ts'
import type { Section } from './route.ts'
import type { Predicate } from './rule.ts'

/**
 * The next instant at which some time condition of these sections turns.
 * @returns epoch milliseconds after `nowMs`, or Infinity where nothing depends on time. Never throws.
 */
export const nextTimeEdgeMs = (
  sections: readonly Section[],
  principal: Principal | undefined,
  nowMs: number,
): number => {
  const edges = sections
    .flatMap((section) => [...section.deny, ...section.allow])
    .flatMap((rule) => rule.predicates.map((predicate) => edgeMs(predicate, principal)))
  const attempt = principal?.stepUp
  if (attempt !== undefined) edges.push((attempt.atSeconds + STEP_UP_MEMORY_SECONDS) * 1000)
  return edges.reduce((next, edge) => (edge > nowMs && edge < next ? edge : next), Number.POSITIVE_INFINITY)
}

const edgeMs = (predicate: Predicate, principal: Principal | undefined): number => {
  if (predicate.kind === 'until') return predicate.atMs
  if (predicate.kind !== 'auth_age' || principal?.authTimeSeconds === undefined)
    return Number.NEGATIVE_INFINITY
  return (principal.authTimeSeconds + predicate.maxSeconds) * 1000
}
