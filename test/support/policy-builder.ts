// Policy sets straight from engine objects, for tests of the rooms above that need no YAML.
import { parseHostPattern } from '../../src/policy/host-pattern.ts'
import { compilePath } from '../../src/policy/path-pattern.ts'
import { indexRoutes, type PolicySet } from '../../src/policy/policy-set.ts'
import type { Principal } from '../../src/policy/principal.ts'
import { readSetOf } from '../../src/policy/read-set.ts'
import type { Route, Section } from '../../src/policy/route.ts'
import type { Predicate, Rule } from '../../src/policy/rule.ts'

export interface SectionPlan {
  readonly path: string
  readonly exact?: boolean
  readonly accepts?: Section['accepts']
  readonly deny?: Readonly<Record<string, readonly Predicate[]>>
  readonly allow: Readonly<Record<string, readonly Predicate[]>>
}

export interface RoutePlan {
  readonly route: string
  readonly hosts: readonly string[]
  readonly sections: readonly SectionPlan[]
  readonly over?: Partial<Route>
}

const rules = (
  route: string,
  path: string,
  effect: Rule['effect'],
  plan: SectionPlan['allow'],
): readonly Rule[] =>
  Object.entries(plan).map(([id, predicates]) => ({
    id,
    name: `${route}#${id}`,
    effect,
    predicates,
    from: path,
    why: undefined,
    review: undefined,
  }))

const section = (route: string, plan: SectionPlan): Section => {
  const deny = rules(route, plan.path, 'deny', plan.deny ?? {})
  const allow = rules(route, plan.path, 'allow', plan.allow)
  return {
    route,
    path: compilePath(plan.path, plan.exact !== true),
    accepts: plan.accepts ?? ['session', 'bearer'],
    echo: ['authorization'],
    passthroughBasic: false,
    deny,
    allow,
    reads: readSetOf([...deny, ...allow]),
  }
}

export const buildRoute = (plan: RoutePlan): Route => {
  const sections = plan.sections.map((one) => section(plan.route, one))
  return {
    id: plan.route,
    owner: 'team',
    hosts: plan.hosts.map(parseHostPattern).filter((pattern) => pattern !== undefined),
    issuers: undefined,
    identity: {
      user: 'X-Auth-Request-User',
      email: 'X-Auth-Request-Email',
      groups: 'X-Auth-Request-Groups',
      preferredUsername: 'X-Auth-Request-Preferred-Username',
      assertion: 'X-Postern-Assertion',
      groupSeparator: ',',
      claims: {},
      anonymousUser: undefined,
    },
    signin: 'location',
    log: 'all',
    audit: 'best-effort',
    origins: undefined,
    sections,
    claims: [...new Set(['email', 'groups', ...sections.flatMap((one) => one.reads.claims)])],
    ...plan.over,
  }
}

export const buildSet = (plans: readonly RoutePlan[], revision = 'p:test'): PolicySet =>
  indexRoutes(plans.map(buildRoute), revision)

/** A person with a session; everything is assertable and captured unless said otherwise. */
export const person = (
  subject: string,
  groups: readonly string[],
  over: Partial<Principal> = {},
): Principal => ({
  kind: 'person',
  credential: 'session',
  source: 'corp',
  subject,
  client: undefined,
  claims: new Map<string, string | readonly string[]>([
    ['groups', groups],
    ['email', `${subject}@example.com`],
  ]),
  assertable: new Set(['groups', 'email', 'name', 'dept']),
  captured: 'every',
  cut: new Set(),
  groupsComplete: true,
  emailVerified: true,
  amr: ['pwd'],
  acr: undefined,
  authTimeSeconds: 1_700_000_000,
  multiFactor: false,
  multiFactorAcr: [],
  stepUp: undefined,
  sessionId: `sid-${subject}`,
  expiresAtSeconds: undefined,
  ...over,
})
