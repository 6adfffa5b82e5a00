// Claims and issuers that nobody in the configuration asserts: such a rule denies for ever, and nobody sees why.
import { didYouMean } from '../policy/closest-word.ts'
import { claimOf } from '../policy/read-set.ts'
import type { Route, Section } from '../policy/route.ts'
import type { Fault } from './issue.ts'
import type { LoadedPolicies } from './load.ts'
import type { Finding } from './placed.ts'
import { writtenRules, type WrittenRule, type WrittenSection } from './written-rule.ts'

/** A provider or issuer, as far as policy is concerned. */
export interface KnownSource {
  readonly id: string
  /** What its callers come with. */
  readonly credential: 'session' | 'bearer' | 'service-account'
  readonly isDefault: boolean
  /** Mapped names that it may assert. */
  readonly claims: ReadonlySet<string>
}

const unasserted = (what: string, why: string, mend: string): Fault => ({ code: 'E25', what, why, mend })

/** Never throws. */
export const sourceFindings = (
  loaded: LoadedPolicies,
  sections: readonly WrittenSection[],
  sources: readonly KnownSource[],
): readonly Finding[] => [
  ...loaded.documents.flatMap((document) =>
    (document.entry.issuers ?? []).flatMap((id, index): readonly Finding[] => {
      if (sources.some((source) => source.id === id)) return []
      const ids = sources.map((source) => source.id)
      const what = `no provider or issuer \`${id}\`${didYouMean(id, ids)}`
      const fault = unasserted(
        what,
        `configured: ${ids.join(', ') || 'none'}`,
        ids.length === 0
          ? 'add an entry to `providers`, or to `issuers`, in the configuration'
          : 'name one of them',
      )
      return [{ document, path: ['issuers', index], part: 'value', fault }]
    }),
  ),
  ...sections.flatMap((one) => sectionSources(one, sources)),
]

const believed = (route: Route, section: Section, sources: readonly KnownSource[]): readonly KnownSource[] =>
  sources.filter(
    (source) =>
      (route.issuers === undefined ? source.isDefault : route.issuers.includes(source.id)) &&
      section.accepts.includes(source.credential),
  )

const sectionSources = (one: WrittenSection, sources: readonly KnownSource[]): readonly Finding[] => {
  const vouching = believed(one.route, one.section, sources)
  return [...claimSources(one, vouching, sources), ...accountSources(one, vouching)]
}

const claimSources = (
  one: WrittenSection,
  vouching: readonly KnownSource[],
  sources: readonly KnownSource[],
): readonly Finding[] => {
  if (vouching.length > 0) return writtenRules(one).flatMap((rule) => ruleSources(rule, vouching))
  if (one.section.reads.claims.length === 0) return []
  const what = `nobody vouches for callers of \`${one.entry.path}\``
  const why = `no believed provider or issuer gives what is accepted here: ${one.section.accepts.join(', ')}`
  const hasNoProvider =
    one.section.accepts.includes('session') && sources.every(({ credential }) => credential !== 'session')
  const mend = hasNoProvider
    ? 'add an entry to `providers` in the configuration; without any, nobody can sign in'
    : 'name one in `issuers`, or mark one as default in the configuration'
  const fault = unasserted(what, why, mend)
  return [{ document: one.document, path: [...one.at, 'path'], part: 'value', fault }]
}

/** Only an issuer of kind `kubernetes` makes anybody a service account. */
const accountSources = (one: WrittenSection, vouching: readonly KnownSource[]): readonly Finding[] => {
  if (vouching.some((source) => source.credential === 'service-account')) return []
  const fault = unasserted(
    `nobody vouches for the service accounts of \`${one.entry.path}\``,
    'no issuer of `kind: kubernetes` is believed here',
    'configure one, and name it in `issuers` or mark it as default',
  )
  return writtenRules(one)
    .filter((rule) => rule.written.service_accounts !== undefined)
    .map(({ document, ruleAt }) => ({ document, path: [...ruleAt, 'service_accounts'], part: 'key', fault }))
}

const ruleSources = (one: WrittenRule, vouching: readonly KnownSource[]): readonly Finding[] =>
  one.rule.predicates.flatMap((predicate): readonly Finding[] => {
    const claim = claimOf(predicate)
    if (claim === undefined || vouching.some((source) => source.claims.has(claim))) return []
    const ids = vouching.map((source) => source.id).join(', ')
    const names = new Set(vouching.flatMap((source) => [...source.claims]))
    const what = `the claim \`${claim}\` is asserted by nobody${didYouMean(claim, names)}`
    const fault = unasserted(what, `believed here: ${ids}`, `map it there: \`claims: {${claim}: …}\``)
    const key = predicate.kind === 'claim' ? ['claims', claim] : [predicate.kind]
    return [{ document: one.document, path: [...one.ruleAt, ...key], part: 'key', fault }]
  })
