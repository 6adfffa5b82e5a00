// An explanation for people: one line for logs and failed tests, a tree for the terminal, and plain JSON for programs.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { Decision } from '../policy/decision.ts'
import type { TracedPredicate, TracedRule } from '../policy/trace.ts'
import type { ExplainedSection, Explanation } from './explain.ts'

/** `deny DENY_NO_RULE route=grafana section=/ | edit: groups miss (has eng; wants sre|platform) | nearest: view`. */
export const explainLine = (told: Explanation): string => {
  const { decision } = told
  const head = [told.outcome, decision.reason, ...places(decision)].join(' ')
  const rules = told.sections.flatMap(({ section, rules }) =>
    section === told.answered
      ? rules.map((one) => `${ruleName(one)}: ${predicatesText(one.predicates)}`)
      : [],
  )
  const nearest = told.nearest === undefined ? [] : [`nearest: ${told.nearest.rule.id}`]
  return [head, ...(told.note === undefined ? [] : [told.note]), ...rules, ...nearest].join(' | ')
}

const places = (decision: Decision): readonly string[] =>
  (['route', 'section', 'rule'] as const).flatMap((key) => {
    const value = decision[key]
    return value === undefined ? [] : [`${key}=${value}`]
  })

const ruleName = ({ rule }: TracedRule): string => (rule.effect === 'deny' ? `deny ${rule.id}` : rule.id)

const predicatesText = (predicates: readonly TracedPredicate[]): string =>
  predicates.length === 0 ? 'hit (no condition)' : predicates.map(predicateText).join(', ')

const predicateText = ({ kind, finding, has, wants, needs }: TracedPredicate): string => {
  if (finding === 'hit') return `${kind} hit`
  if (finding === 'unknown') return `${kind} unknown (needs ${needs ?? 'more'}; wants ${wants})`
  return `${kind} ${finding} (has ${has}; wants ${wants})`
}

/** The same as a tree, one predicate a line. */
export const explainTree = (told: Explanation): string => {
  const { request, decision, route } = told
  return [
    `${told.outcome} ${decision.reason}`,
    `├─ request  ${request.method} ${request.host}${request.path}`,
    ...(told.views.length > 1 ? [`├─ read as  ${told.views.join('   ')}`] : []),
    ...(told.note === undefined ? [] : [`├─ note     ${told.note}`]),
    ...(route === undefined
      ? []
      : [`├─ route    ${route.id}${route.owner === undefined ? '' : ` (owner ${route.owner})`}`]),
    ...told.sections.flatMap((one) => sectionTree(one, told)),
    `└─ answer   ${answerText(told)}`,
  ].join('\n')
}

const sectionTree = (
  { section, believed, rules }: ExplainedSection,
  told: Explanation,
): readonly string[] => {
  const exact = section.path.below ? '' : ' (exact)'
  const answers = told.sections.length > 1 && section === told.answered ? ', the strictest: it answers' : ''
  const accepts = `accepts ${section.accepts.join(', ')}${believed ? '' : '; no credential that counts'}`
  return [
    `├─ section  ${section.path.text}${exact}: ${accepts}${answers}`,
    ...(section.allow.length === 0 ? ['│  closed: `allow` is empty'] : []),
    ...rules.flatMap((one) => ruleTree(one, section.path.text)),
  ]
}

const MARK = { hit: '✓', miss: '✗', unknown: '?', error: '!' } as const

const ruleTree = ({ rule, finding, predicates }: TracedRule, section: string): readonly string[] => {
  const inherited = rule.from === section ? '' : ` (inherited from ${rule.from})`
  return [
    `│  ${MARK[finding]} ${rule.effect} ${rule.id}${inherited}: ${finding}`,
    ...predicates.map(
      (one) =>
        `│      ${MARK[one.finding]} ${predicateText(one)}${one.finding === 'hit' ? ` (${one.has})` : ''}`,
    ),
  ]
}

const answerText = (told: Explanation): string => {
  const { decision } = told
  switch (decision.outcome) {
    case 'allow':
      return `200 by ${decision.rule ?? 'no rule'}${decision.identity === 'none' ? ', without identity' : ''}`
    case 'deny':
      return `403${decision.rule === undefined ? '' : ` by ${decision.rule}`}${told.nearest === undefined ? '' : `; nearest: ${told.nearest.rule.id}`}`
    case 'challenge':
      return `401, asks for ${asked(decision.demand.kind, decision.demand.accepts)}`
    case 'indeterminate':
      return `503, ${decision.why}`
  }
}

const asked = (
  kind: 'credential' | 'rejected' | 'reauth' | 'step-up',
  accepts: readonly CredentialKind[],
): string => {
  switch (kind) {
    case 'credential':
    case 'rejected':
      return accepts.join(' or ')
    case 'reauth':
      return 'a new sign-in that captures more claims'
    case 'step-up':
      return 'a stronger or fresher sign-in'
  }
}

/** Plain data for `-o json`; stable names, additive. */
export const explainJson = (told: Explanation): unknown => ({
  outcome: told.outcome,
  reason: told.decision.reason,
  route: told.decision.route,
  section: told.decision.section,
  rule: told.decision.rule,
  request: {
    method: told.request.method,
    host: told.request.host,
    path: told.request.path,
    views: told.views,
    clientIp: told.request.clientIp,
  },
  at: new Date(told.atMs).toISOString(),
  note: told.note,
  nearest: told.nearest?.rule.name,
  sections: told.sections.map(({ section, believed, rules }) => ({
    path: section.path.text,
    exact: !section.path.below,
    accepts: section.accepts,
    believed,
    rules: rules.map(({ rule, finding, predicates }) => ({
      id: rule.id,
      name: rule.name,
      effect: rule.effect,
      inheritedFrom: rule.from === section.path.text ? undefined : rule.from,
      why: rule.why,
      finding,
      predicates,
    })),
  })),
  line: explainLine(told),
})
