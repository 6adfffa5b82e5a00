// Joins identity to configuration and state: who may vouch for whom, and what a credential is looked up against.
import { randomInt } from 'node:crypto'
import { keyBytes, type Config } from '../config/config.ts'
import { makeAuthenticate } from '../identity/authenticate.ts'
import { makeReadBearer } from '../identity/bearer-jwt.ts'
import { believes } from '../identity/believed.ts'
import type { Carried } from '../identity/carried.ts'
import { sessionCookieName } from '../identity/cookie-header.ts'
import { makeCredentialDigest } from '../identity/credential-digest.ts'
import { makeIssuerKeys, type IssuerKeys } from '../identity/issuer-keys.ts'
import { makeSeal, type Seal } from '../identity/seal.ts'
import { makeVerifySession } from '../identity/session-credential.ts'
import { makeFindSession } from '../identity/session-freshness.ts'
import { SESSION_PURPOSE, type CookieBinding } from '../identity/session-seal.ts'
import type { Authenticate } from '../identity/verified.ts'
import type { HostName } from '../policy/host-pattern.ts'
import type { Route } from '../policy/route.ts'
import type { CurrentSession } from '../signin/deps.ts'
import type { MemoryState } from '../state/memory-state.ts'
import type { RenewalParts } from './compose-renewal.ts'

/**
 * Where the session cookie that a host gets is valid.
 * @param host counts only where each host has a cookie of its own
 */
export const cookieBinding = (config: Config, host: HostName): CookieBinding => ({
  name: sessionCookieName({
    scheme: config.publicUrl.scheme,
    host: config.publicUrl.host,
    perHost: config.session.perHost,
  }),
  boundTo: config.session.perHost ? host : config.session.domain,
})

/** The seal of one purpose, over the session keys. */
export const sealFor = (config: Config, purpose: string): Seal =>
  makeSeal({ keys: config.session.keys.map(keyBytes), purpose })

export interface IdentityParts {
  readonly authenticate: Authenticate
  /**
   * The one live session of these cookies, whatever provider it is from and however long ago that was asked; else by
   * the law that decisions follow.
   * @param host whose cookies they are; default: the host of sign-in
   */
  readonly readSession: (cookies: readonly string[], nowMs: number, host?: HostName) => CurrentSession
  readonly sessionSeal: Seal
  /** Of the host of sign-in. */
  readonly binding: CookieBinding
  readonly bindingFor: (host: HostName) => CookieBinding
  readonly digest: (carried: Carried) => string
  /** Rises whenever the keys of some issuer change. */
  readonly keyRevision: () => number
  readonly issuerKeys: ReadonlyMap<string, IssuerKeys>
  /** Ids of the providers that a route believes, in the order of the configuration. */
  readonly providersOf: (route: Route) => readonly string[]
}

export interface IdentityPorts {
  readonly state: Pick<MemoryState, 'revocations' | 'lastUse'>
  readonly renewal: Pick<RenewalParts, 'renew' | 'learned'>
  readonly groupsRevision: () => string
  readonly startedAtSeconds: number
  readonly fetch: typeof fetch
}

/** Builds what verifies credentials. No key is fetched yet. */
export const composeIdentity = (config: Config, ports: IdentityPorts): IdentityParts => {
  const publicBinding = cookieBinding(config, config.publicUrl.host)
  const bindingFor = config.session.perHost
    ? (host: HostName): CookieBinding => ({ ...publicBinding, boundTo: host })
    : (): CookieBinding => publicBinding
  const sessionSeal = sealFor(config, SESSION_PURPOSE)
  const { check } = ports.state.revocations
  const freshnessSeconds = config.session.freshnessMs / 1000
  const issuerKeys = new Map(
    config.issuers.map((issuer) => [issuer.id, makeIssuerKeys(issuer, keyPorts(ports))]),
  )
  const verifySession = makeVerifySession(
    {
      seal: sessionSeal,
      bindingFor,
      providers: config.providers,
      idleSeconds: config.session.idleMs / 1000,
      processStartSeconds: ports.startedAtSeconds,
      freshnessSeconds,
    },
    {
      checkRevocation: check,
      lastUse: ports.state.lastUse.lastUse,
      groupsRevision: ports.groupsRevision,
      learned: ports.renewal.learned,
    },
  )
  const anyProvider = {
    route: { id: 'sign-in', issuers: config.providers.map(({ id }) => id) },
    section: { accepts: ['session'] as const },
    host: config.publicUrl.host,
  }
  const readBearer = makeReadBearer({
    issuers: config.issuers,
    keysOf: (id) => issuerKeys.get(id),
    checkRevocation: check,
  })
  return {
    authenticate: makeAuthenticate({
      findSession: makeFindSession(verifySession, ports.renewal.renew, freshnessSeconds),
      readBearer,
    }),
    readSession: (cookies, nowMs, host = anyProvider.host) => {
      const { authentication, session, stale } = verifySession(cookies, { ...anyProvider, host, nowMs })
      if (authentication.kind === 'unavailable') return { kind: 'unavailable' }
      const found = session ?? stale
      return found === undefined ? { kind: 'none' } : { kind: 'session', session: found }
    },
    sessionSeal,
    binding: publicBinding,
    bindingFor,
    digest: makeCredentialDigest([publicBinding.name]),
    keyRevision: sumOfRevisions([...issuerKeys.values()]),
    issuerKeys,
    providersOf: (route) =>
      config.providers.filter((provider) => believes(route, provider)).map(({ id }) => id),
  }
}

/** Asked on every decision. */
const sumOfRevisions = (all: readonly IssuerKeys[]): (() => number) => {
  if (all.length === 0) return () => 0
  return () => {
    let sum = 0
    for (const keys of all) sum += keys.revision()
    return sum
  }
}

/** What fetches the keys of an issuer. */
export const keyPorts = (ports: Pick<IdentityPorts, 'fetch'>): Parameters<typeof makeIssuerKeys>[1] => ({
  fetch: ports.fetch,
  schedule: (delayMs, run) => {
    const timer = setTimeout(run, delayMs).unref()
    return () => clearTimeout(timer)
  },
  nowMs: () => performance.now(),
  random: () => randomInt(2 ** 32) / 2 ** 32,
})
