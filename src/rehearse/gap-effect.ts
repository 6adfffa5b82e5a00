// Whether an explanation is certain though something was not recorded: it is where no value of what is missing could
// have changed the outcome. It reads the trace of the walk, and decides nothing itself. Pure.
import { claimOf } from '../policy/read-set.ts'
import type { Predicate } from '../policy/rule.ts'
import type { TracedPredicate, TracedRule } from '../policy/trace.ts'
import type { ExplainedSection } from './explain.ts'
import type { Gap } from './recorded-caller.ts'

/** Stands where a value would, that the log does not hold. */
export const NOT_RECORDED = 'not_recorded'

/** The gap that a predicate falls into; undefined where it reads what was recorded. */
const gapOf = (predicate: Predicate, traced: TracedPredicate, gaps: ReadonlySet<Gap>): Gap | undefined => {
  if (isAtEdge(predicate, traced)) return 'time'
  return gapsReadBy(predicate, traced).find((gap) => gaps.has(gap))
}

/** The log counts in whole seconds, and its time is that of the answer. */
const isAtEdge = (predicate: Predicate, { has }: TracedPredicate): boolean => {
  switch (predicate.kind) {
    case 'auth_age':
      return Math.abs(Number.parseInt(has, 10) - predicate.maxSeconds) <= 1
    case 'until':
      return Math.abs(Date.parse(has) - predicate.atMs) <= 1_000
    case 'methods':
    case 'paths':
    case 'preflight':
    case 'from_networks':
    case 'anyone':
    case 'authenticated':
    case 'users':
    case 'clients':
    case 'service_accounts':
    case 'emails':
    case 'email_domains':
    case 'groups':
    case 'all_groups':
    case 'claim':
    case 'cred':
    case 'amr':
    case 'acr':
    case 'mfa':
      return false
  }
}

const gapsReadBy = (predicate: Predicate, traced: TracedPredicate): readonly Gap[] => {
  const claim = claimOf(predicate)
  if (claim !== undefined) return ['caller', `claim:${claim}`]
  switch (predicate.kind) {
    case 'methods':
    case 'paths':
    case 'until':
    case 'preflight':
    case 'from_networks':
      return []
    case 'anyone':
      return traced.has === 'anybody' ? [] : ['caller']
    case 'users':
    case 'service_accounts':
      return ['caller', 'subject']
    case 'clients':
      return ['caller', 'client']
    case 'amr':
      return ['caller', 'amr']
    case 'acr':
      return ['caller', 'acr']
    case 'authenticated':
    case 'cred':
    case 'mfa':
    case 'auth_age':
    case 'emails':
    case 'email_domains':
    case 'groups':
    case 'all_groups':
    case 'claim':
      return ['caller']
  }
}

/** A walked section with `not_recorded` in place of what is not known, and what that means. */
export interface GappedSection {
  readonly section: ExplainedSection
  /** What was read and is not known, where it could change the outcome. */
  readonly open: readonly Gap[]
}

/** Marks what is not recorded in one section. Never throws. */
export const markGaps = (section: ExplainedSection, gaps: ReadonlySet<Gap>): GappedSection => {
  const rules = section.rules.map((rule) => markRule(rule, gaps))
  const denies = upToHit(rules.filter(({ traced }) => traced.rule.effect === 'deny'))
  const allows = upToHit(rules.filter(({ traced }) => traced.rule.effect === 'allow'))
  // Deny beats allow: where a deny hits for certain, no allow is asked.
  const relevant = denies.hits ? denies.open : [...denies.open, ...allows.open]
  return { section: { ...section, rules: rules.map(({ traced }) => traced) }, open: relevant }
}

/** The first rule that hits decides: what is open behind one that hits for certain changes nothing. */
const upToHit = (rules: readonly MarkedRule[]): { readonly hits: boolean; readonly open: readonly Gap[] } => {
  const at = rules.findIndex(({ traced, isKnown }) => traced.finding === 'hit' && isKnown)
  const asked = at < 0 ? rules : rules.slice(0, at)
  return { hits: at >= 0, open: asked.flatMap((one) => one.open) }
}

interface MarkedRule {
  readonly traced: TracedRule
  readonly isKnown: boolean
  /** Gaps that could change the finding: none where another predicate misses for sure. */
  readonly open: readonly Gap[]
}

const markRule = (traced: TracedRule, gaps: ReadonlySet<Gap>): MarkedRule => {
  const marked = traced.predicates.map((one, index) => {
    const predicate = traced.rule.predicates[index]
    const gap = predicate === undefined ? undefined : gapOf(predicate, one, gaps)
    return { gap, one: gap === undefined ? one : { ...one, has: NOT_RECORDED } }
  })
  const found = marked.flatMap(({ gap }) => (gap === undefined ? [] : [gap]))
  const misses = marked.some(({ gap, one }) => gap === undefined && one.finding === 'miss')
  return {
    traced: { ...traced, predicates: marked.map(({ one }) => one) },
    isKnown: found.length === 0,
    open: misses ? [] : found,
  }
}
