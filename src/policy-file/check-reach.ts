// Rules that can never hit: their keys contradict each other, their paths belong to another section, or a deny swallows
// them.
import { pathCovers } from '../policy/path-pattern.ts'
import { compileRulePath } from './compile-rule.ts'
import { ruleImplies } from './implies.ts'
import { ownsAllHosts, type Neighbours } from './neighbour.ts'
import type { Finding } from './placed.ts'
import { finding, predicateOf } from './rule-finding.ts'
import type { WrittenRule } from './written-rule.ts'

/** Never throws. */
export const reachFindings = (one: WrittenRule, near: Neighbours): readonly Finding[] => [
  ...CONTRADICTIONS.map((test) => test(one)).filter((found) => found !== undefined),
  ...ownedElsewhere(one, near),
  ...swallowed(one),
]

type Contradiction = (one: WrittenRule) => Finding | undefined

const never = (one: WrittenRule, key: string, why: string, mend: string): Finding =>
  finding(one, [key], 'key', 'E03', [`\`${one.rule.id}\` can never hit`, why, mend])

const preflightMethods: Contradiction = (one) =>
  predicateOf(one, 'preflight') !== undefined &&
  predicateOf(one, 'methods')?.anyOf.includes('OPTIONS') === false
    ? never(one, 'methods', 'a preflight is an OPTIONS request', 'drop `methods`')
    : undefined

const emailsOutside: Contradiction = (one) => {
  const emails = predicateOf(one, 'emails')?.anyOf ?? []
  const domains = predicateOf(one, 'email_domains')?.anyOf ?? []
  const meet = emails.some((email) => domains.some((domain) => email.endsWith(`@${domain}`)))
  return emails.length === 0 || domains.length === 0 || meet
    ? undefined
    : never(one, 'email_domains', 'none of `emails` lies in them', 'drop one of the two')
}

const clientWithoutToken: Contradiction = (one) =>
  predicateOf(one, 'clients') !== undefined && predicateOf(one, 'cred')?.anyOf.includes('bearer') === false
    ? never(one, 'cred', 'clients come with a bearer token', 'drop `cred`')
    : undefined

const accountWithoutToken: Contradiction = (one) =>
  predicateOf(one, 'service_accounts') !== undefined &&
  predicateOf(one, 'cred')?.anyOf.includes('service-account') === false
    ? never(one, 'cred', 'service accounts come with a token of their own kind', 'drop `cred`')
    : undefined

/** What no service account has. */
const NOT_OF_ACCOUNTS = [
  'authenticated',
  'clients',
  'emails',
  'email_domains',
  'mfa',
  'amr',
  'acr',
  'auth_age',
] as const

const accountAsPerson: Contradiction = (one) => {
  const other = NOT_OF_ACCOUNTS.find((kind) => predicateOf(one, kind) !== undefined)
  return predicateOf(one, 'service_accounts') === undefined || other === undefined
    ? undefined
    : never(one, other, 'no service account has that', 'write two rules')
}

const foreignSource =
  (key: 'users' | 'clients'): Contradiction =>
  (one) => {
    const { issuers } = one.route
    const names = predicateOf(one, key)?.anyOf
    if (issuers === undefined || names === undefined) return undefined
    if (names.some((name) => issuers.includes(name.split('|')[0] ?? ''))) return undefined
    const why = `this route believes ${issuers.join(', ')} alone`
    return never(one, key, why, 'name one of them before the `|`')
  }

const CONTRADICTIONS: readonly Contradiction[] = [
  preflightMethods,
  emailsOutside,
  clientWithoutToken,
  accountWithoutToken,
  accountAsPerson,
  foreignSource('users'),
  foreignSource('clients'),
]

/** Paths that a more specific section owns. */
const ownedElsewhere = (one: WrittenRule, near: Neighbours): readonly Finding[] => {
  const owners = near(one.route).filter(
    (other) =>
      other.section !== one.section &&
      ownsAllHosts(one.route, other.route) &&
      pathCovers(one.section.path, other.section.path),
  )
  return (one.written.paths ?? []).flatMap((text, index) => {
    const owner = owners.find((other) => pathCovers(other.section.path, compileRulePath(text)))
    if (owner === undefined) return []
    return [
      finding(one, ['paths', index], 'value', 'E03', [
        `\`${text}\` never reaches \`${one.rule.id}\``,
        `the section \`${owner.entry.path}\` of ${owner.document.file.path} is more specific and owns it`,
        'write the rule there',
      ]),
    ]
  })
}

/** An allow that a deny of its section swallows whole. */
const swallowed = (one: WrittenRule): readonly Finding[] => {
  const deny =
    one.rule.effect === 'allow' ? one.section.deny.find((rule) => ruleImplies(one.rule, rule)) : undefined
  if (deny === undefined) return []
  const words = [
    `\`${one.rule.id}\` can never hit`,
    `the deny \`${deny.id}\` hits wherever it would, and deny beats allow`,
    'narrow the deny, or remove the allow',
  ] as const
  return [finding(one, ['id'], 'value', 'E03', words)]
}
