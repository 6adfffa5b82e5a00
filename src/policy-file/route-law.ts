// The laws of one route: hosts, sections, headers, and the rules in their sections. Bytes and directory only.
import { CREDENTIAL_KINDS, type CredentialKind } from '../policy/credential-kind.ts'
import { pathCovers } from '../policy/path-pattern.ts'
import { foldPath } from '../policy/path-views.ts'
import type { Rule } from '../policy/rule.ts'
import { compileRulePath } from './compile-rule.ts'
import { meantNetwork, networksNamed, type Directory } from './directory.ts'
import { identityNames, isReservedHeader, sentHeaders } from './identity-preset.ts'
import type { Fault, IssueCode } from './issue.ts'
import { hostFault, originFault, pathFault } from './pattern-law.ts'
import type { DocumentFault } from './placed.ts'
import { ruleFaults } from './rule-law.ts'
import type { RuleEntry } from './schema-rule.ts'
import type { PolicyEntry, SectionEntry } from './schema.ts'
import { sectionAccepts, sectionPath } from './section-entry.ts'
import { testFaults } from './test-law.ts'
import type { DocumentPath } from './yaml-range.ts'

/** Kinds of credential that this release verifies. */
const BUILT_KINDS: ReadonlySet<CredentialKind> = new Set<CredentialKind>([
  'session',
  'bearer',
  'service-account',
])

/**
 * Judges a document by every law that needs no clock.
 * @returns all faults; never throws
 */
export const routeFaults = (policy: PolicyEntry, directory: Directory): readonly DocumentFault[] => [
  ...policy.hosts.flatMap((host, index) => at(['hosts', index], hostFault(host))),
  ...twice(
    policy.hosts.map((host) => host.replace(/\.$/, '')),
    'host',
    (index) => ['hosts', index],
  ),
  ...(policy.origins ?? []).flatMap((origin, index) => at(['origins', index], originFault(origin))),
  ...kindFaults(policy.accepts, ['accepts']),
  ...signInFaults(policy),
  ...logFaults(policy),
  ...identityFaults(policy),
  ...idFaults(policy),
  ...sectionsTwice(policy),
  ...policy.sections.flatMap((section, index) => sectionFaults(section, index, policy, directory)),
  ...(policy.tests ?? []).flatMap((test, index) => testFaults(test, ['tests', index], policy)),
]

const at = (path: DocumentPath, fault: Fault | undefined, part: 'key' | 'value' = 'value'): DocumentFault[] =>
  fault === undefined ? [] : [{ path, part, fault }]

const fault = (code: IssueCode, what: string, why: string, mend: string): Fault => ({ code, what, why, mend })

/** Values that stand twice; the second one is pointed at. */
const twice = (
  values: readonly string[],
  name: string,
  pathOf: (index: number) => DocumentPath,
): readonly DocumentFault[] =>
  values.flatMap((value, index) =>
    values.indexOf(value) === index
      ? []
      : at(
          pathOf(index),
          fault(
            'E20',
            `the ${name} \`${value}\` stands twice`,
            'two equal patterns cannot both be picked',
            'join the two',
          ),
        ),
  )

const kindFaults = (accepts: readonly CredentialKind[] | undefined, path: DocumentPath): DocumentFault[] =>
  (accepts ?? []).flatMap((kind, index) =>
    BUILT_KINDS.has(kind)
      ? []
      : at(
          [...path, index],
          fault(
            'E18',
            `\`${kind}\` is not built yet`,
            'nothing would verify it',
            `accepted so far: ${CREDENTIAL_KINDS.filter((one) => BUILT_KINDS.has(one)).join(', ')}`,
          ),
        ),
  )

/** With one redirect for every 401 a Basic challenge never reaches the client. */
const signInFaults = (policy: PolicyEntry): readonly DocumentFault[] => {
  const lists = [policy.accepts, ...policy.sections.map((section) => section.accepts)]
  if (policy.signin !== 'all-401' || !lists.some((list) => list?.includes('basic') === true)) return []
  const what = '`signin: all-401` on a route that accepts `basic`'
  const why = 'the proxy turns every 401 into a redirect, so nobody is ever asked for a password'
  return at(
    ['signin'],
    fault('E17', what, why, 'give the basic callers a host or Ingress without it, or drop `basic`'),
  )
}

/** Allows that are only counted are unrecorded decisions. */
const logFaults = ({ log, audit }: PolicyEntry): readonly DocumentFault[] =>
  log === 'changes' && audit === 'strict'
    ? at(
        ['log'],
        fault(
          'E17',
          '`log: changes` on a route with `audit: strict`',
          'one leaves allows out of the log, the other answers nothing that is not in it',
          'drop one of the two',
        ),
      )
    : []

const identityFaults = (policy: PolicyEntry): readonly DocumentFault[] => {
  const sent = sentHeaders(identityNames(policy.identity))
  const reserved = sent.filter(isReservedHeader)
  const folded = sent.map((header) => header.toLowerCase())
  const double = sent.filter((_, index) => folded.indexOf(folded[index] ?? '') !== index)
  return [
    ...reserved.flatMap((header) =>
      at(
        ['identity'],
        fault(
          'E17',
          `\`${header}\` cannot carry an identity`,
          'proxies and browsers give it another meaning',
          'name the header otherwise',
        ),
      ),
    ),
    ...double.flatMap((header) =>
      at(
        ['identity'],
        fault(
          'E17',
          `the header \`${header}\` is named twice`,
          'each header has one value',
          'name one of them otherwise, or `false`',
        ),
      ),
    ),
  ]
}

interface PlacedRule {
  readonly rule: RuleEntry
  readonly effect: Rule['effect']
  readonly path: DocumentPath
}

const rulesOf = (section: SectionEntry, index: number): readonly PlacedRule[] => {
  const placedRules = (effect: Rule['effect'], rules: readonly RuleEntry[]): readonly PlacedRule[] =>
    rules.map((rule, at) => ({ rule, effect, path: ['sections', index, effect, at] }))
  return [...placedRules('deny', section.deny ?? []), ...placedRules('allow', section.allow)]
}

/** A log line names section and rule, so an id may stand again in another section. */
const idFaults = (policy: PolicyEntry): readonly DocumentFault[] =>
  policy.sections.flatMap((section, index) => idsTwice(rulesOf(section, index)))

const idsTwice = (rules: readonly PlacedRule[]): readonly DocumentFault[] => {
  const first = new Map(rules.toReversed().map(({ rule, path }) => [rule.id, path]))
  return rules.flatMap(({ rule, path }) =>
    first.get(rule.id) === path
      ? []
      : at(
          [...path, 'id'],
          fault(
            'E17',
            `the id \`${rule.id}\` stands twice`,
            'logs and tests name a rule by it',
            'give each rule of the section its own id',
          ),
        ),
  )
}

const sectionsTwice = (policy: PolicyEntry): readonly DocumentFault[] =>
  twice(
    policy.sections.map((section) => `${foldPath(section.path)}${section.exact === true ? ' (exact)' : ''}`),
    'section',
    (index) => ['sections', index, 'path'],
  )

const sectionFaults = (
  section: SectionEntry,
  index: number,
  policy: PolicyEntry,
  directory: Directory,
): readonly DocumentFault[] => {
  const path: DocumentPath = ['sections', index]
  const accepts = sectionAccepts(section, policy)
  return [
    ...at([...path, 'path'], pathFault(section.path, false)),
    ...kindFaults(section.accepts, [...path, 'accepts']),
    ...rulesOf(section, index).flatMap((one) => [
      ...ruleFaults(one.rule, { effect: one.effect, accepts }).map((found): DocumentFault => ({
        path: found.key === undefined ? one.path : [...one.path, found.key],
        part: 'key',
        fault: found.fault,
      })),
      ...pathsFaults(one, section),
      ...networkFaults(one, directory),
    ]),
  ]
}

const pathsFaults = ({ rule, path }: PlacedRule, section: SectionEntry): readonly DocumentFault[] => {
  const paths = rule.paths ?? []
  const place = (index: number): DocumentPath => [...path, 'paths', index]
  const outside = (text: string): Fault | undefined =>
    pathCovers(sectionPath(section), compileRulePath(text))
      ? undefined
      : fault(
          'E20',
          `\`${text}\` lies outside its section \`${section.path}\``,
          'the rule would never see it',
          'write paths as absolute, inside the section',
        )
  return [
    ...paths.flatMap((text, index) => at(place(index), pathFault(text, true) ?? outside(text))),
    ...twice(
      paths.map((text) => foldPath(text)),
      'path',
      place,
    ),
  ]
}

const networkFaults = ({ rule, path }: PlacedRule, directory: Directory): readonly DocumentFault[] =>
  (rule.from_networks ?? []).flatMap((name, index) =>
    networksNamed(directory, name) !== undefined
      ? []
      : at(
          [...path, 'from_networks', index],
          fault(
            'E05',
            `unknown network \`${name}\`${meantNetwork(directory, name)}`,
            'it is neither a label of `directory.yaml` nor a CIDR block without bits beyond its prefix',
            'add it to `networks:` of `directory.yaml`, or write the block',
          ),
        ),
  )
