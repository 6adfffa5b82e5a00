// One document → one route. Everything that depends on the file's bytes and the directory alone is judged here: a set
// that breaks a law never loads. What depends on the date or on tests is left to `check`.
import { parseHostPattern } from '../policy/host-pattern.ts'
import type { PathPattern } from '../policy/path-pattern.ts'
import { readSetOf } from '../policy/read-set.ts'
import type { Route, Section } from '../policy/route.ts'
import type { Rule } from '../policy/rule.ts'
import { compileRule } from './compile-rule.ts'
import type { Directory } from './directory.ts'
import { headerClaims, identityNames } from './identity-preset.ts'
import { inheritedDenies } from './inherit.ts'
import type { PolicyIssue } from './issue.ts'
import type { PolicyDocument } from './parse.ts'
import { placed } from './placed.ts'
import { sectionAccepts, sectionPath } from './section-entry.ts'
import { routeFaults } from './route-law.ts'
import type { PolicyEntry, SectionEntry } from './schema.ts'

export type Compiled =
  | { readonly kind: 'compiled'; readonly route: Route }
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] }

/**
 * Compiles one document.
 * @param document its form is right already
 * @param directory the folder's names
 * @returns the route, or every law that it breaks; never throws
 */
export const compilePolicy = (document: PolicyDocument, directory: Directory): Compiled => {
  const faults = routeFaults(document.entry, directory)
  if (faults.length > 0) return { kind: 'refused', issues: placed(document, faults) }
  return { kind: 'compiled', route: routeOf(document.entry, directory) }
}

interface OwnSection {
  readonly entry: SectionEntry
  readonly path: PathPattern
  readonly deny: readonly Rule[]
  readonly allow: readonly Rule[]
}

const routeOf = (policy: PolicyEntry, directory: Directory): Route => {
  const own = policy.sections.map((entry): OwnSection => {
    const rules = (effect: Rule['effect'], entries: SectionEntry['allow']): readonly Rule[] =>
      entries.map((rule) => compileRule(rule, effect, policy.route, entry.path, directory))
    return {
      entry,
      path: sectionPath(entry),
      deny: rules('deny', entry.deny ?? []),
      allow: rules('allow', entry.allow),
    }
  })
  const sections = own.map((section) => sectionOf(section, own, policy))
  const identity = identityNames(policy.identity)
  const claims = [...headerClaims(identity), ...sections.flatMap((section) => section.reads.claims)]
  return {
    id: policy.route,
    owner: policy.owner,
    hosts: policy.hosts.map(parseHostPattern).filter((pattern) => pattern !== undefined),
    issuers: policy.issuers,
    identity,
    signin: policy.signin ?? 'location',
    log: policy.log ?? 'all',
    audit: policy.audit ?? 'best-effort',
    origins: policy.origins,
    sections,
    claims: [...new Set(claims)].toSorted(),
  }
}

const sectionOf = (own: OwnSection, all: readonly OwnSection[], policy: PolicyEntry): Section => {
  const deny = [...own.deny, ...inheritedDenies(own, all)]
  return {
    route: policy.route,
    path: own.path,
    accepts: sectionAccepts(own.entry, policy),
    echo: own.entry.echo ?? policy.echo ?? ['authorization'],
    passthroughBasic: (own.entry.passthrough ?? policy.passthrough ?? []).includes('basic'),
    deny,
    allow: own.allow,
    reads: readSetOf([...deny, ...own.allow]),
  }
}
