// One rule against one situation. Miss beats unknown beats hit; an error hits in a deny and misses in an allow.
import { testPredicate, type Finding, type Situation, type Unknown } from './predicate.ts'
import type { Section } from './route.ts'
import { bypassKind, type Predicate, type Rule } from './rule.ts'
import { findingText, hasText, needsText, wantsText, type TraceSink, type TracedPredicate } from './trace.ts'

/** How long a step-up that did not help is remembered (rules §3). */
export const STEP_UP_MEMORY_SECONDS = 300

/** What every rule of one walk has in common. */
export interface Walk {
  readonly section: Section
  readonly situations: Readonly<Record<Rule['effect'], Situation>>
  readonly trace: TraceSink | undefined
}

/** Prepares a walk over the rules of a section. */
export const makeWalk = (
  section: Section,
  common: Pick<Situation, 'facts' | 'principal' | 'nowMs' | 'bypassHolds'>,
  trace: TraceSink | undefined,
): Walk => {
  const { facts, principal, nowMs, bypassHolds } = common
  const situation = (effect: Rule['effect']): Situation => ({
    facts,
    principal,
    nowMs,
    effect,
    bypassHolds,
    steppedUp: false,
  })
  return { section, situations: { allow: situation('allow'), deny: situation('deny') }, trace }
}

/** One rule, walked. */
export interface Walked {
  readonly rule: Rule
  readonly finding: Finding
  readonly erred: boolean
  /** The rule would have hit, had it not ended. */
  readonly expired: boolean
}

/**
 * Walks one rule. Without a trace it stops at the first miss, which is how most rules end.
 * @returns the rule's finding; never throws, whatever a predicate does
 */
export const walkRule = (rule: Rule, walk: Walk): Walked => {
  const now = situationOf(rule, walk)
  return walk.trace === undefined ? walkToMiss(rule, now) : walkWhole(rule, now, walk.section, walk.trace)
}

/** Everything but a remembered step-up is the same for all rules of one effect. */
const situationOf = (rule: Rule, walk: Walk): Situation => {
  const situation = walk.situations[rule.effect]
  return steppedUp(rule, situation) ? { ...situation, steppedUp: true } : situation
}

const walkToMiss = (rule: Rule, now: Situation): Walked => {
  let erred = false
  let unknowns: readonly Finding[] | undefined
  for (const predicate of rule.predicates) {
    let finding: Finding
    try {
      finding = testInRule(rule, predicate, now)
    } catch {
      finding = onError(now)
      erred = true
    }
    if (finding === 'miss') {
      const expired = predicate.kind === 'until' && onlyExpired(rule, now)
      return { rule, finding, erred, expired }
    }
    if (finding !== 'hit') unknowns = [...(unknowns ?? []), finding]
  }
  return { rule, finding: unknowns === undefined ? 'hit' : combine(unknowns), erred, expired: false }
}

const walkWhole = (rule: Rule, now: Situation, section: Section, trace: TraceSink): Walked => {
  const tested = rule.predicates.map((predicate) => test(rule, predicate, now))
  const erred = tested.some((one) => one.erred)
  const finding = combine(tested.map((one) => one.finding))
  trace(section, {
    rule,
    finding: erred ? 'error' : findingText(finding),
    predicates: tested.map((one) => traced(one, now)),
  })
  return { rule, finding, erred, expired: finding === 'miss' && onlyExpired(rule, now) }
}

/**
 * A network that is all a rule asks for is a bypass: nobody vouches for the caller. It holds only where the raw path
 * reads the same to everybody (rules §1), and it is no reason to send a browser back from sign-in.
 */
const testInRule = (rule: Rule, predicate: Predicate, now: Situation): Finding => {
  const isBypass =
    predicate.kind === 'from_networks' && now.effect === 'allow' && bypassKind(rule) === 'network'
  if (isBypass && (!now.bypassHolds || now.facts.networksUndecided === true)) return 'miss'
  return testPredicate(predicate, now)
}

/** INVARIANT: a predicate that fails never opens a door: hit in a deny, miss in an allow (rules §1). */
const onError = (now: Situation): Finding => (now.effect === 'deny' ? 'hit' : 'miss')

interface Tested {
  readonly predicate: Predicate
  readonly finding: Finding
  readonly erred: boolean
}

const test = (rule: Rule, predicate: Predicate, now: Situation): Tested => {
  try {
    return { predicate, finding: testInRule(rule, predicate, now), erred: false }
  } catch {
    return { predicate, finding: onError(now), erred: true }
  }
}

const traced = ({ predicate, finding, erred }: Tested, now: Situation): TracedPredicate => ({
  kind: predicate.kind,
  wants: wantsText(predicate),
  has: hasText(predicate, now),
  finding: erred ? 'error' : findingText(finding),
  needs: needsText(finding),
})

const steppedUp = (rule: Rule, now: Situation): boolean => {
  const attempt = now.principal?.stepUp
  if (attempt === undefined || attempt.rule !== rule.name) return false
  return now.nowMs / 1000 - attempt.atSeconds < STEP_UP_MEMORY_SECONDS
}

/** Miss beats unknown beats hit; among unknowns the most basic one asks. */
const combine = (findings: readonly Finding[]): Finding => {
  if (findings.includes('miss')) return 'miss'
  const unknown = (kind: Unknown['kind']): Unknown | undefined =>
    findings.find((one): one is Unknown => typeof one === 'object' && one.kind === kind)
  return unknown('credential') ?? unknown('capture') ?? stepUpOf(findings) ?? 'hit'
}

const stepUpOf = (findings: readonly Finding[]): Unknown | undefined => {
  const steps = findings.filter((one) => typeof one === 'object').filter((one) => one.kind === 'step-up')
  if (steps.length === 0) return undefined
  return {
    kind: 'step-up',
    maxAgeSeconds: steps.map((one) => one.maxAgeSeconds).find((age) => age !== undefined),
    acrValues: steps.flatMap((one) => one.acrValues),
  }
}

const onlyExpired = (rule: Rule, now: Situation): boolean => {
  const until = rule.predicates.find((predicate) => predicate.kind === 'until')
  if (rule.effect === 'deny' || until === undefined || now.nowMs < until.atMs) return false
  return rule.predicates.every(
    (predicate) => predicate.kind === 'until' || test(rule, predicate, now).finding === 'hit',
  )
}
