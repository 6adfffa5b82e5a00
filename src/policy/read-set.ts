// Which facts a section's rules read: the decision cache keys by exactly these, and a test taints all others.
import type { Predicate, Rule } from './rule.ts'

export interface ReadSet {
  readonly method: boolean
  readonly path: boolean
  readonly clientIp: boolean
  readonly preflight: boolean
  /** Some allow is a bypass, so the raw path's spelling counts. */
  readonly bypass: boolean
  readonly claims: readonly string[]
}

const CLAIM_OF: Readonly<Partial<Record<Predicate['kind'], string>>> = {
  emails: 'email',
  email_domains: 'email',
  groups: 'groups',
  all_groups: 'groups',
}

/** The mapped claim that a predicate reads, if any. */
export const claimOf = (predicate: Predicate): string | undefined =>
  predicate.kind === 'claim' ? predicate.name : CLAIM_OF[predicate.kind]

/** The facts that these rules read between them. */
export const readSetOf = (rules: readonly Rule[]): ReadSet => {
  const predicates = rules.flatMap((rule) => rule.predicates)
  const has = (...kinds: readonly Predicate['kind'][]): boolean =>
    predicates.some((one) => kinds.includes(one.kind))
  return {
    method: has('methods'),
    path: has('paths'),
    clientIp: has('from_networks'),
    preflight: has('preflight'),
    bypass: has('anyone', 'from_networks'),
    claims: [...new Set(predicates.map(claimOf).filter((name) => name !== undefined))].toSorted(),
  }
}
