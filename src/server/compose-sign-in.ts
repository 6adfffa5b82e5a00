// Joins sign-in to configuration, state, policies and the log.
import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { HostName } from '../policy/host-pattern.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { sectionsOfHost } from '../policy/policy-set.ts'
import type { CurrentSession, SignInDeps, SignInEvent, SignInSettings } from '../signin/deps.ts'
import { makeSignIn, type SignIn } from '../signin/make-sign-in.ts'
import type { MemoryState } from '../state/memory-state.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { UpstreamTimes } from '../telemetry/upstream-times.ts'
import { sealFor, type IdentityParts } from './compose-identity.ts'
import { makeDecideFor } from './judge.ts'
import { composeLogout } from './compose-logout.ts'
import type { RenewalParts } from './compose-renewal.ts'
import { makeSessionPolicy } from './session-policy.ts'

export interface SignInPorts {
  readonly identity: IdentityParts
  readonly renewal: RenewalParts
  readonly state: MemoryState
  readonly policies: () => PolicySet
  readonly metrics: Metrics
  readonly logger: Logger
  readonly recordEvent: (event: SignInEvent) => void
  readonly upstream: UpstreamTimes
  readonly nextId: () => string
  readonly nowMs: () => number
}

/** Builds the handlers of the public listener. No provider is contacted yet. */
export const composeSignIn = (config: Config, ports: SignInPorts): SignIn =>
  makeSignIn(depsOf(config, ports), (error) => {
    ports.metrics.fault()
    ports.logger.error(error, 'a sign-in handler failed')
  })

const depsOf = (config: Config, ports: SignInPorts): SignInDeps => {
  const { identity, policies, nowMs, nextId } = ports
  const sessionPolicy = makeSessionPolicy(config.session.claims)
  const readSession = (cookies: readonly string[], host?: HostName): CurrentSession =>
    identity.readSession(cookies, nowMs(), host)
  return {
    settings: signInSettings(config, identity),
    providers: ports.renewal.providers,
    grants: ports.renewal.grants,
    isRouteHost: (host) => sectionsOfHost(policies(), host) !== undefined,
    decideFor: makeDecideFor({
      policies,
      authenticate: identity.authenticate,
      readSession,
      publicHost: config.publicUrl.host,
      providersOf: identity.providersOf,
      nextId,
      nowMs,
    }),
    readSession,
    policy: () => sessionPolicy(policies()),
    sessionSeal: identity.sessionSeal,
    transactionSeal: sealFor(config, 'transaction'),
    formSeal: sealFor(config, 'form'),
    mayUse: (id) => ports.state.usedMarks.look(`transaction:${id}`),
    useOnce: (id, lifetimeSeconds) => ports.state.usedMarks.burn(`transaction:${id}`, lifetimeSeconds),
    isSettled: async () => (await ports.state.settled()).kind !== 'failed',
    revokeSession: ports.renewal.revokeSession,
    renew: ports.renewal.renew,
    ...composeLogout(config, ports),
    revocationNumber: () => ports.state.revocationNumber(),
    tickets: config.session.perHost
      ? { seal: sealFor(config, 'ticket'), keep: ports.state.tickets.keep, take: ports.state.tickets.take }
      : undefined,
    nowMs,
    randomId: () => randomBytes(18).toString('base64url'),
    onEvent: ports.recordEvent,
  }
}

/** What sign-in reads of the configuration. */
export const signInSettings = (config: Config, identity: Pick<IdentityParts, 'binding'>): SignInSettings => ({
  publicUrl: config.publicUrl.href,
  ownPrefix: config.session.perHost ? config.session.prefix : undefined,
  // By plain http Postern itself is only ever on this machine; so are the applications that it signs in for.
  externalScheme: config.proxies.externalScheme ?? (config.publicUrl.scheme === 'http' ? 'http' : undefined),
  cookie: { name: identity.binding.name, domain: config.session.perHost ? undefined : config.session.domain },
  absoluteSeconds: config.session.absoluteMs / 1000,
  freshnessSeconds: config.session.freshnessMs / 1000,
  accessContact: config.pages.accessContact,
})
