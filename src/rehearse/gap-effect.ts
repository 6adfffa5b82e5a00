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
  const { isAtEdge = false, reads } = readingOf(predicate, traced)
  return isAtEdge ? 'time' : reads.find((gap) => gaps.has(gap))
}

/** What a predicate reads that the log may lack. */
interface Reading {
  readonly reads: readonly Gap[]
  /** The log counts in whole seconds, and its time is that of the answer: a second more or less would tip it. */
  readonly isAtEdge?: boolean
}

const readingOf = (predicate: Predicate, { has }: TracedPredicate): Reading => {
  const claim = claimOf(predicate)
  if (claim !== undefined) return { reads: ['caller', `claim:${claim}`] }
  switch (predicate.kind) {
    case 'methods':
    case 'paths':
    case 'preflight':
    case 'from_networks':
      return { reads: [] }
    case 'until':
      return { reads: [], isAtEdge: Math.abs(Date.parse(has) - predicate.atMs) <= 1_000 }
    case 'auth_age':
      return {
        reads: ['caller'],
        isAtEdge: Math.abs(Number.parseInt(has, 10) - predicate.maxSeconds) <= 1,
      }
    case 'anyone':
      return { reads: has === 'anybody' ? [] : ['caller'] }
    case 'users':
    case 'service_accounts':
      return { reads: ['caller', 'subject'] }
    case 'clients':
      return { reads: ['caller', 'client'] }
    case 'amr':
      return { reads: ['caller', 'amr'] }
    case 'acr':
      return { reads: ['caller', 'acr'] }
    case 'authenticated':
    case 'cred':
    case 'mfa':
    case 'emails':
    case 'email_domains':
    case 'groups':
    case 'all_groups':
    case 'claim':
      return { reads: ['caller'] }
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
