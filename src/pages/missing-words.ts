// What is missing, in words, from the very walk that refused. Pure. Says what rules want, never what others have.
import type { TracedPredicate, TracedRule } from '../policy/trace.ts'

const MAX_LINES = 5
const MAX_TEXT = 160

/** The sentences of a denied page: either what refused, or the ways that would have let the caller in. */
export interface MissingWords {
  readonly kind: 'refused' | 'missing'
  readonly lines: readonly string[]
  /** How many lines were left out. */
  readonly more: number
}

/**
 * Words a refusal.
 * @param rules the traced rules of the walk
 * @param determining `route#rule` of the rule that refused; undefined where none allowed
 * @returns `refused` with what the deny rule says, or `missing` with one line for each way in. Never throws.
 */
export const missingWords = (rules: readonly TracedRule[], determining: string | undefined): MissingWords => {
  const refusing = rules.find((one) => one.rule.effect === 'deny' && one.rule.name === determining)
  if (refusing !== undefined) return { kind: 'refused', lines: [refusalLine(refusing)], more: 0 }
  const allows = rules.filter((one) => one.rule.effect === 'allow')
  const here = allows.filter((one) => !one.predicates.some(isElsewhere))
  const lines = [...new Set((here.length > 0 ? here : allows).map(missingLine))]
  return {
    kind: 'missing',
    lines: lines.slice(0, MAX_LINES),
    more: Math.max(0, lines.length - MAX_LINES),
  }
}

/** A rule about another method or path, or one that has ended, is no way in for this request. */
const isElsewhere = (predicate: TracedPredicate): boolean =>
  predicate.finding !== 'hit' &&
  (predicate.kind === 'methods' ||
    predicate.kind === 'paths' ||
    predicate.kind === 'until' ||
    predicate.kind === 'preflight')

const refusalLine = (refusing: TracedRule): string => {
  const about = refusing.predicates.filter((one) => one.kind !== 'methods' && one.kind !== 'paths')
  const conditions = about.map(wordOf).filter((word) => word !== undefined)
  const whom = conditions.length === 0 ? 'everybody' : `callers with ${conditions.join(', and ')}`
  return short(`Rule “${refusing.rule.id}” refuses ${whom}.`)
}

const missingLine = (traced: TracedRule): string => {
  const lacking = traced.predicates.filter((one) => one.finding !== 'hit').map(lackOf)
  const words = lacking.filter((word) => word !== undefined)
  return short(
    `Rule “${traced.rule.id}” needs ${words.length === 0 ? 'something else' : words.join(', and ')}.`,
  )
}

const lackOf = (predicate: TracedPredicate): string | undefined => {
  if (predicate.kind === 'emails' || predicate.kind === 'email_domains')
    return predicate.has.endsWith('(not verified)')
      ? 'an e-mail address that your identity provider has verified'
      : wordOf(predicate)
  return wordOf(predicate)
}

/** A group's name may hold a comma itself; it is then worded as several, which misleads nobody. */
const ofGroups = (howMany: 'one' | 'all', wants: string): string =>
  wants.includes(', ') ? `${howMany} of the groups ${wants}` : `the group ${wants}`

const WORDS: Readonly<Record<string, (wants: string) => string>> = {
  methods: (wants) => `the method ${wants}`,
  paths: (wants) => `one of the paths ${wants}`,
  until: (wants) => `a date up to ${wants}`,
  from_networks: (wants) => `a connection from ${wants}`,
  anyone: () => 'a path that can be read in one way only',
  authenticated: () => 'a signed-in person',
  users: () => 'one of the users that it names',
  clients: () => 'one of the clients that it names',
  service_accounts: () => 'one of the service accounts that it names',
  emails: () => 'one of the e-mail addresses that it names',
  email_domains: (wants) => `an e-mail address of ${wants}`,
  groups: (wants) => ofGroups('one', wants),
  all_groups: (wants) => ofGroups('all', wants),
  claim: (wants) => `the claim ${wants}`,
  cred: (wants) => `a credential of the kind ${wants}`,
  amr: (wants) => `a sign-in by ${wants}`,
  acr: (wants) => `a sign-in of the level ${wants}`,
  mfa: () => 'a sign-in with two factors',
  auth_age: (wants) => `a sign-in not older than ${wants}`,
}

const wordOf = (predicate: TracedPredicate): string | undefined =>
  Object.hasOwn(WORDS, predicate.kind)
    ? WORDS[predicate.kind]?.(predicate.wants.replaceAll(predicate.kind === 'all_groups' ? '+' : '|', ', '))
    : undefined

const short = (line: string): string => (line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line)
