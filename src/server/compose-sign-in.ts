// Joins sign-in to configuration, state, policies and the log.
import { randomBytes } from 'node:crypto'
import type { LogFields } from '../audit/record.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Config, ProviderConfig } from '../config/config.ts'
import type { Session } from '../identity/session.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { sectionsOfHost } from '../policy/policy-set.ts'
import type { CurrentSession, SignInDeps, SignInEvent, SignInSettings } from '../signin/deps.ts'
import { makeSignIn, type SignIn } from '../signin/make-sign-in.ts'
import type { MemoryState } from '../state/memory-state.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { sealFor, type IdentityParts } from './compose-identity.ts'
import { makeDecideFor } from './judge.ts'
import { makeSessionPolicy } from './session-policy.ts'

export interface SignInPorts {
  readonly identity: IdentityParts
  readonly state: MemoryState
  readonly policies: () => PolicySet
  readonly audit: AuditWriter
  readonly metrics: Metrics
  readonly logger: Logger
  readonly nextId: () => string
  readonly nowMs: () => number
  readonly fetch: typeof fetch
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
  const readSession = (cookies: readonly string[]): CurrentSession => identity.readSession(cookies, nowMs())
  return {
    settings: signInSettings(config, identity),
    providers: config.providers.map(providerSettings),
    isRouteHost: (host) => sectionsOfHost(policies(), host) !== undefined,
    decideFor: makeDecideFor({
      policies,
      authenticate: identity.authenticate,
      readSession,
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
    revokeSession: (session) => revokeSession(ports, session),
    revocationNumber: () => ports.state.revocationNumber(),
    fetch: ports.fetch,
    nowMs,
    randomId: () => randomBytes(18).toString('base64url'),
    onEvent: (event) => recordEvent(ports, event),
  }
}

/** What sign-in reads of the configuration. */
export const signInSettings = (config: Config, identity: Pick<IdentityParts, 'binding'>): SignInSettings => ({
  publicUrl: config.publicUrl.href,
  ownPrefix: undefined,
  externalScheme: config.proxies.externalScheme,
  cookie: { name: identity.binding.name, domain: config.session.domain },
  absoluteSeconds: config.session.absoluteMs / 1000,
  accessContact: undefined,
})

const PROVIDER_TIMEOUT_SECONDS = 5

const providerSettings = (provider: ProviderConfig): SignInDeps['providers'][number] => ({
  source: provider,
  label: provider.label,
  clientSecret: provider.clientSecret,
  scopes: provider.scopes,
  timeoutSeconds: PROVIDER_TIMEOUT_SECONDS,
})

const revokeSession = async (ports: SignInPorts, session: Session): Promise<boolean> => {
  const owner = { source: session.provider, subject: session.subject }
  const revoked = await ports.state.revocations.revokeCredential(session.id, owner)
  return revoked.kind === 'stored'
}

const recordEvent = (ports: SignInPorts, event: SignInEvent): void => {
  const ts = new Date(ports.nowMs()).toISOString()
  switch (event.kind) {
    case 'login':
      ports.metrics.signIn(event.session.provider, 'success')
      ports.audit.write({
        ...sessionFields(ts, 'login', event.session),
        purpose: event.purpose,
        cut: event.cut.length === 0 ? undefined : event.cut,
      })
      return
    case 'logout':
      ports.audit.write({ ...sessionFields(ts, 'logout', event.session), recorded: event.recorded })
      return
    case 'login-failed':
      ports.metrics.signIn(event.provider ?? '_none', 'failed')
      ports.audit.write({
        v: 1,
        type: 'login',
        ts,
        outcome: 'failed',
        provider: event.provider,
        code: event.code,
        why: event.why,
      })
  }
}

const sessionFields = (ts: string, type: 'login' | 'logout', session: Session): LogFields => ({
  v: 1,
  type,
  ts,
  outcome: 'success',
  session: session.id,
  sub: { kind: 'user', id: `${session.provider}|${session.subject}`, amr: session.amr },
})
