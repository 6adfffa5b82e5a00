// A caller that a test or `explain` imagines → what verification would have found. Every claim is taken as asserted and
// captured: a rehearsal asks what the rules say, not what a provider leaves out.
import { parseDurationSeconds } from '../policy-file/duration.ts'
import type { CallerEntry } from '../policy-file/schema-rule.ts'
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { AuthenticationOf } from '../policy/evaluate.ts'
import {
  ANONYMOUS,
  hasTwoFactors,
  type Authentication,
  type ClaimValue,
  type Principal,
} from '../policy/principal.ts'
import type { Route } from '../policy/route.ts'
import { serviceAccountSubject } from '../policy/service-account.ts'

export type Caller = CallerEntry | 'anonymous'

/** Where the caller's request comes from, as the proxy would report it. */
export const callerIp = (caller: Caller): string | undefined =>
  caller === 'anonymous' ? undefined : caller.ip

/**
 * Imagines a caller on a route.
 * @param caller its laws are checked already
 * @param route the route that the request matched; undefined where none did
 * @returns the authentication of each section: a credential of a kind or source that the section does not believe is
 *   as good as none. Never throws.
 */
export const imagine = (caller: Caller, route: Route | undefined, nowMs: number): AuthenticationOf => {
  const principal = caller === 'anonymous' ? undefined : principalOf(caller, route, nowMs)
  if (principal === undefined) return () => ANONYMOUS
  const verified: Authentication = { kind: 'verified', principal }
  const notBelieved: Authentication = { kind: 'anonymous', note: 'not-believed' }
  const believed = route?.issuers?.includes(principal.source) ?? true
  return (section) => (believed && section.accepts.includes(principal.credential) ? verified : notBelieved)
}

/** Undefined for a caller about whom nothing but the address is said. */
const principalOf = (entry: CallerEntry, route: Route | undefined, nowMs: number): Principal | undefined => {
  const { ip: _, ...said } = entry
  if (Object.values(said).every((value) => value === undefined)) return undefined
  const kind = isMachine(entry) ? 'machine' : 'person'
  const [source, subject] = identityOf(entry, route)
  const age = entry.auth_age === undefined ? undefined : parseDurationSeconds(entry.auth_age)
  const claims = claimsOf(entry)
  const amr = entry.amr ?? []
  return {
    kind,
    credential: entry.cred ?? credentialOf(entry, kind, route),
    source,
    subject,
    client: entry.clients?.[0]?.split('|').slice(1).join('|'),
    ...accountOf(entry),
    claims,
    assertable: new Set([...(route?.claims ?? []), ...claims.keys()]),
    captured: 'every',
    cut: new Set(),
    groupsComplete: true,
    emailVerified: true,
    amr,
    acr: entry.acr,
    authTimeSeconds: age === undefined ? undefined : nowMs / 1000 - age,
    multiFactor: hasTwoFactors(amr),
    multiFactorAcr: [],
    stepUp: undefined,
    sessionId: undefined,
    expiresAtSeconds: undefined,
  }
}

/** Clients and service accounts are machines; so is whoever comes with a token and nothing that only a person has. */
const isMachine = (entry: CallerEntry): boolean => {
  if (entry.clients !== undefined || entry.service_accounts !== undefined) return true
  if (entry.cred === 'service-account') return true
  const personal = [entry.users, entry.emails, entry.email_domains, entry.authenticated, entry.amr]
  return entry.cred === 'bearer' && personal.every((value) => value === undefined)
}

const credentialOf = (
  entry: CallerEntry,
  kind: Principal['kind'],
  route: Route | undefined,
): CredentialKind => {
  if (entry.service_accounts !== undefined) return 'service-account'
  const accepted = route?.sections.flatMap((section) => section.accepts) ?? []
  if (kind === 'machine') return 'bearer'
  return accepted.length === 0 || accepted.includes('session') ? 'session' : (accepted[0] ?? 'session')
}

/** Stands for whichever provider the route believes. */
export const ANY_SOURCE = 'any'

const accountOf = (entry: CallerEntry): Pick<Principal, 'serviceAccount'> => {
  const [account] = entry.service_accounts ?? []
  return account === undefined ? {} : { serviceAccount: account }
}

const identityText = (entry: CallerEntry): string => {
  const { serviceAccount } = accountOf(entry)
  if (serviceAccount !== undefined) return `${ANY_SOURCE}|${serviceAccountSubject(serviceAccount)}`
  return entry.users?.[0] ?? entry.clients?.[0] ?? ''
}

const identityOf = (entry: CallerEntry, route: Route | undefined): readonly [string, string] => {
  const [source, ...rest] = identityText(entry).split('|')
  const believed = route?.issuers?.[0] ?? ANY_SOURCE
  if (source === undefined || rest.length === 0) return [believed, 'somebody']
  return [source === ANY_SOURCE ? believed : source, rest.join('|')]
}

const claimsOf = (entry: CallerEntry): ReadonlyMap<string, ClaimValue> => {
  const claims = new Map<string, ClaimValue>(Object.entries(entry.claims ?? {}))
  const groups = [...(entry.groups ?? []), ...(entry.all_groups ?? [])]
  if (groups.length > 0) claims.set('groups', groups)
  const domain = entry.email_domains?.[0]
  const email = entry.emails?.[0] ?? (domain === undefined ? undefined : `somebody@${domain}`)
  if (email !== undefined) claims.set('email', email)
  return claims
}
