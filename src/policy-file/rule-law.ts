// The laws of one rule: what an allow must have, what a deny must not, and what cannot stand together. They depend on the
// file's bytes alone, so a set that breaks one never loads.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { Rule } from '../policy/rule.ts'
import type { Fault, IssueCode } from './issue.ts'
import { NOT_BUILT_KEYS, SUBJECT_KEYS, type RuleEntry } from './schema-rule.ts'

/** A fault at one key of a rule; undefined = the rule as a whole. */
export interface RuleFault {
  readonly key: keyof RuleEntry | undefined
  readonly fault: Fault
}

export interface RuleContext {
  readonly effect: Rule['effect']
  readonly accepts: readonly CredentialKind[]
}

/**
 * Judges a rule by every law.
 * @returns all faults; never throws
 */
export const ruleFaults = (rule: RuleEntry, context: RuleContext): readonly RuleFault[] => [
  ...notBuilt(rule),
  ...(context.effect === 'allow' ? allowLaws(rule) : denyLaws(rule)),
  ...reasonLaws(rule, context.effect),
  ...kindLaws(rule, context.accepts),
  ...claimLaws(rule.claims),
]

const fault = (
  code: IssueCode,
  key: keyof RuleEntry | undefined,
  what: string,
  why: string,
  mend: string,
): RuleFault => ({ key, fault: { code, what, why, mend } })

const notBuilt = (rule: RuleEntry): readonly RuleFault[] =>
  NOT_BUILT_KEYS.filter((key) => rule[key] !== undefined).map((key) =>
    fault(
      'E18',
      key,
      `\`${key}\` is not built yet`,
      'a rule read without it would mean something else',
      'leave the rule out for now',
    ),
  )

const has = (rule: RuleEntry, keys: readonly (keyof RuleEntry)[]): readonly (keyof RuleEntry)[] =>
  keys.filter((key) => rule[key] !== undefined)

/** Keys that need somebody's credential. */
const NEEDS_CALLER = [
  'users',
  'emails',
  'email_domains',
  'groups',
  'all_groups',
  'claims',
  'clients',
  'service_accounts',
  'authenticated',
  'cred',
  'mfa',
  'amr',
  'acr',
  'auth_age',
] as const satisfies readonly (keyof RuleEntry)[]

const allowLaws = (rule: RuleEntry): readonly RuleFault[] => {
  const found: RuleFault[] = []
  if (has(rule, [...SUBJECT_KEYS, ...NOT_BUILT_KEYS]).length === 0)
    found.push(
      fault(
        'E17',
        'id',
        `\`${rule.id}\` allows without saying whom`,
        'an allow needs a subject',
        `add one of ${SUBJECT_KEYS.join(', ')}`,
      ),
    )
  for (const open of has(rule, ['anyone', 'preflight'])) {
    const [other] = has(rule, [...NEEDS_CALLER, ...SUBJECT_KEYS]).filter((key) => key !== open)
    if (other !== undefined)
      found.push(
        fault(
          'E17',
          other,
          `\`${open}\` and \`${other}\` in one rule`,
          `\`${open}\` asks for nobody, and all keys of a rule must hold`,
          'drop one of the two',
        ),
      )
  }
  return found
}

const denyLaws = (rule: RuleEntry): readonly RuleFault[] => [
  ...has(rule, ['mfa', 'amr', 'acr', 'auth_age']).map((key) =>
    fault(
      'E17',
      key,
      `\`${key}\` in a deny`,
      'a stronger sign-in would make it hit',
      'ask for it in the allow rules',
    ),
  ),
  ...has(rule, ['until']).map((key) =>
    fault(
      'E17',
      key,
      '`until` in a deny',
      'the deny would open by itself',
      'remove `until`, and the rule when its time is over',
    ),
  ),
]

/** Everything that passes without a credential says why, and until when or when it is looked at again. */
const reasonLaws = (rule: RuleEntry, effect: Rule['effect']): readonly RuleFault[] => [
  ...(rule.anyone === true && effect === 'allow' ? publicLaws(rule) : []),
  ...(rule.from_networks === undefined ? [] : networkLaws(rule, effect)),
  ...(rule.review === undefined || (rule.anyone === true && effect === 'allow')
    ? []
    : [
        fault(
          'E17',
          'review',
          '`review` without `anyone`',
          'only public rules are reviewed by date',
          'remove it',
        ),
      ]),
]

const ACCOUNTED_FOR = 'what lets people in without a credential must be accounted for'

const publicLaws = (rule: RuleEntry): readonly RuleFault[] => {
  const found: RuleFault[] = []
  if (rule.why === undefined)
    found.push(fault('E08', 'anyone', '`anyone` without `why`', ACCOUNTED_FOR, 'add `why: "…"`'))
  if (rule.until === undefined && rule.review === undefined) {
    const mend = 'add `until: DATE` (it ends) or `review: DATE` (`check` reminds)'
    found.push(fault('E08', 'anyone', '`anyone` without `until` or `review`', ACCOUNTED_FOR, mend))
  }
  return found
}

const networkLaws = (rule: RuleEntry, effect: Rule['effect']): readonly RuleFault[] => {
  const found: RuleFault[] = []
  if (rule.why === undefined)
    found.push(
      fault('E07', 'from_networks', '`from_networks` without `why`', ACCOUNTED_FOR, 'add `why: "…"`'),
    )
  if (rule.until === undefined && effect === 'allow') {
    const mend = 'add `until: DATE`: an address is no identity'
    found.push(fault('E07', 'from_networks', '`from_networks` without `until`', ACCOUNTED_FOR, mend))
  }
  return found
}

/** Which kinds of credential can satisfy a key; one of them must be accepted. */
const SATISFIED_BY: Readonly<Partial<Record<keyof RuleEntry, readonly CredentialKind[]>>> = {
  clients: ['bearer'],
  service_accounts: ['service-account'],
  users: ['session', 'bearer', 'basic'],
  authenticated: ['session', 'bearer', 'basic'],
  mfa: ['session', 'bearer'],
  amr: ['session', 'bearer'],
  acr: ['session', 'bearer'],
  auth_age: ['session', 'bearer'],
}

const kindLaws = (rule: RuleEntry, accepts: readonly CredentialKind[]): readonly RuleFault[] => {
  const refused = (key: keyof RuleEntry, kind: string): RuleFault =>
    fault(
      'E19',
      key,
      `\`${key}\` needs \`${kind}\`, which is not accepted here`,
      `accepted: ${accepts.join(', ')}`,
      `add \`${kind}\` to \`accepts\``,
    )
  const keys = Object.entries(SATISFIED_BY).flatMap(([name, kinds]) => {
    const [key] = NEEDS_CALLER.filter((one) => one === name && rule[one] !== undefined)
    const [first = 'session'] = kinds
    return key === undefined || kinds.some((kind) => accepts.includes(kind)) ? [] : [refused(key, first)]
  })
  const strange = (rule.cred ?? []).filter((kind) => !accepts.includes(kind))
  return [...keys, ...strange.map((kind) => refused('cred', kind))]
}

/** Claims that have a key of their own, which knows more than the bare value. */
const OWN_KEY: Readonly<Record<string, string>> = {
  groups: 'groups',
  email: 'emails',
  sub: 'users',
  client_id: 'clients',
  azp: 'clients',
  amr: 'amr',
  acr: 'acr',
}

/** Claims that every issuer writes as text, whatever they look like. */
const TEXT_CLAIMS =
  /^(?:iss|aud|jti|sid|(?:repository|repository_owner|actor|run|project|namespace|user|pipeline|job|tenant)_id)$/

const claimLaws = (claims: RuleEntry['claims']): readonly RuleFault[] =>
  Object.entries(claims ?? {}).flatMap(([name, value]) => {
    const own = Object.hasOwn(OWN_KEY, name) ? OWN_KEY[name] : undefined
    if (own !== undefined)
      return [
        fault(
          'E17',
          'claims',
          `the claim \`${name}\` has a key of its own`,
          `\`${own}\` checks more than the bare value`,
          `use \`${own}\``,
        ),
      ]
    const number = [value].flat().find((one) => typeof one !== 'string')
    if (number === undefined || !TEXT_CLAIMS.test(name)) return []
    return [
      fault(
        'E16',
        'claims',
        `\`${name}: ${String(number)}\` without quotes`,
        'tokens carry it as text, and types are compared strictly',
        `write \`${name}: "${String(number)}"\``,
      ),
    ]
  })
