// The only place that knows every room: configuration in, three applications out. Nothing listens yet.
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { AuditWriter } from '../audit/writer.ts'
import type { Config } from '../config/config.ts'
import { makeAssertionSigner, type AssertionSigner } from '../identity/assertion.ts'
import type { PolicyStore } from '../policy-file/store.ts'
import { makeJudgePeer } from '../proxy/trusted-peer.ts'
import { writeRefusal } from '../proxy/write-answer.ts'
import type { SignInEvent } from '../signin/deps.ts'
import { NONCE_COOKIES } from '../signin/nonce.ts'
import { SMALL_COOKIES } from '../signin/set-cookie.ts'
import type { MemoryState } from '../state/memory-state.ts'
import type { Logger } from '../telemetry/logger.ts'
import { makeMetrics, type Metrics } from '../telemetry/metrics.ts'
import { makeUpstreamTimes, type UpstreamTimes } from '../telemetry/upstream-times.ts'
import { makeAuthz, type AuthzDeps } from './authz.ts'
import { composeAdmin } from './compose-admin.ts'
import { composeDecide, makeWriteDecision } from './compose-decide.ts'
import { composeIdentity, type IdentityParts } from './compose-identity.ts'
import { composeRenewal, type RenewalParts } from './compose-renewal.ts'
import { composeSignIn } from './compose-sign-in.ts'
import { makeCookieRenewal } from './cookie-renewal.ts'
import { makeDecisionIds } from './decision-id.ts'
import { makeDecisionServer, SERVER_LIMITS } from './decision-listener.ts'
import { endingRules } from './ending-rules.ts'
import { makePrepareIdentity } from './identity-preparation.ts'
import { makeNetworkOf } from './network-labels.ts'
import { makeObserve } from './observe.ts'
import { makePublicApp } from './public-app.ts'
import { makeRefusalPage } from './refusal-page.ts'
import { makeRecordEvent } from './session-events.ts'
import { makeSessionPolicy } from './session-policy.ts'
import { makeOnUnreadable, type UnreadableDeps } from './unreadable.ts'

/** What was opened before anything is composed, and is closed after everything. */
export interface Opened {
  readonly config: Config
  readonly store: PolicyStore
  readonly state: MemoryState
  readonly audit: AuditWriter
  readonly logger: Logger
  readonly version: string
  readonly nowMs: () => number
  readonly isDraining: () => boolean
}

export interface Composed {
  readonly decision: Server
  readonly public: Server
  readonly admin: Server
  readonly metrics: Metrics
  readonly identity: IdentityParts
}

/**
 * Joins all rooms.
 * @throws {Error} where the assertion key does not fit: found at start
 */
export const compose = async (opened: Opened): Promise<Composed> => {
  const { config, store, state, logger, nowMs } = opened
  const startedAtSeconds = nowMs() / 1000
  const sessionPolicy = makeSessionPolicy(config.session.claims)
  const groupsRevision = (): string => sessionPolicy(store.current()).fit.groupsRevision
  const upstream = makeUpstreamTimes(() => performance.now())
  // Read at a scrape, when all of it is there: the parts that are counted count themselves.
  const gauges: Gauges = {
    cacheEntries: () => decision.cacheEntries(),
    issuerKeys: () => identity.issuerKeys,
  }
  const metrics = composeMetrics(opened, gauges, upstream)
  const recordEvent = makeRecordEvent({ ...opened, metrics })
  const renewal = composeRenewal(config, {
    state,
    policies: store.current,
    sessionPolicy,
    fetch: upstream.timed(fetch, 'idp'),
    nowMs,
    onEvent: recordEvent,
    onFault: (error) => {
      metrics.fault()
      logger.error(error, 'a session could not be learned anew')
    },
  })
  const identity = composeIdentity(config, {
    state,
    renewal,
    groupsRevision,
    startedAtSeconds,
    fetch: upstream.timed(fetch, 'jwks'),
  })
  const parts: Parts = {
    ...opened,
    identity,
    renewal,
    recordEvent,
    upstream,
    startedAtSeconds,
    signer: await openSigner(config, nowMs),
    nextId: makeDecisionIds(nowMs),
  }
  const decision = composeDecision(parts, metrics)
  const publicApp = composePublic(parts, metrics)
  const adminApp = composeAdmin(parts, metrics)
  return {
    decision: makeDecisionServer(
      makeAuthz(decision.authz),
      makeOnUnreadable(unreadableParts(parts, metrics)),
    ),
    public: serverOf((request, env) => publicApp.fetch(request, env)),
    admin: serverOf((request) => adminApp.fetch(request)),
    metrics,
    identity,
  }
}

/** What metrics read at a scrape, of parts that themselves count. */
interface Gauges {
  readonly cacheEntries: () => number
  readonly issuerKeys: () => IdentityParts['issuerKeys']
}

interface Parts extends Opened {
  readonly identity: IdentityParts
  readonly renewal: RenewalParts
  readonly recordEvent: (event: SignInEvent) => void
  readonly upstream: UpstreamTimes
  readonly signer: AssertionSigner | undefined
  readonly startedAtSeconds: number
  readonly nextId: () => string
}

const unreadableParts = (
  { store, audit, logger, nextId, nowMs }: Parts,
  metrics: Metrics,
): UnreadableDeps => ({
  nextId,
  nowMs,
  policyRevision: () => store.current().revision,
  audit,
  count: () => metrics.unreadableRequest(),
  onFault: (error) => {
    metrics.fault()
    logger.error(error, 'a request that cannot be read left no line in the decision log')
  },
})

const ASSERTION_BYTES = 64 << 20

const openSigner = async (config: Config, nowMs: () => number): Promise<AssertionSigner | undefined> => {
  if (config.assertion === undefined) return undefined
  const { key, alg, lifetimeSeconds } = config.assertion
  const signing = await makeAssertionSigner({
    key: key.reveal(),
    alg,
    issuer: config.publicUrl.href,
    lifetimeSeconds,
    retired: [],
    nowSeconds: () => nowMs() / 1000,
    bytesMax: ASSERTION_BYTES,
  })
  if (signing.kind === 'refused') throw new Error(signing.why)
  return signing.signer
}

const composeMetrics = (
  { config, store, state, audit, version, nowMs }: Opened,
  gauges: Gauges,
  upstream: UpstreamTimes,
): Metrics =>
  makeMetrics({
    version,
    cacheEntries: gauges.cacheEntries,
    audit: () => audit.stats(),
    sessionsActive: () => state.lastUse.usedSince((nowMs() - config.session.idleMs) / 1000),
    lastReloadSucceeded: () => store.status().refusal === undefined,
    lastReloadAtSeconds: () => store.status().loadedAtMs / 1000,
    policyRevision: () => store.current().revision,
    jwksAgesSeconds: () =>
      new Map(
        [...gauges.issuerKeys()].flatMap(([id, keys]) => {
          const { ageMs } = keys.health()
          return ageMs === undefined ? [] : [[id, ageMs / 1000] as const]
        }),
      ),
    endingRules: () => endingRules(store.current(), nowMs()),
    upstream,
  })

interface DecisionParts {
  readonly authz: AuthzDeps
  readonly cacheEntries: () => number
}

const composeDecision = (parts: Parts, metrics: Metrics): DecisionParts => {
  const { config, store, state, audit, logger, identity, nowMs, nextId } = parts
  const prepareIdentity = makePrepareIdentity({
    sources: [...config.providers, ...config.issuers],
    signer: parts.signer,
    onWarning: (route, warning) => logger.warn({ route, ...warning }, 'an identity header was left empty'),
  })
  const { decide, cacheEntries } = composeDecide(config, {
    identity,
    prepareIdentity,
    policies: store.current,
    state,
    metrics,
  })
  const secure = config.publicUrl.scheme === 'https'
  const labels = new Map(config.providers.map(({ id, label }) => [id, label]))
  const labelOf = (source: string): string => labels.get(source) ?? source
  const { accessContact } = config.pages
  const page = makeRefusalPage({ publicUrl: config.publicUrl.href, secure, labelOf, accessContact, nowMs })
  const ownCookies = new Set([identity.binding.name, ...SMALL_COOKIES, ...Object.values(NONCE_COOKIES)])
  const answerSettings = { publicUrl: config.publicUrl.href, ownCookies, page }
  const { trusted, key, hostHeader, externalScheme, clientIp } = config.proxies
  const authz: AuthzDeps = {
    judgePeer: makeJudgePeer({ trusted, key }),
    settings: { hostHeader, externalScheme, clientIp },
    policies: store.current,
    decide,
    nowMs,
    monotonicMs: () => performance.now(),
    nextId,
    writeDecision: makeWriteDecision(answerSettings, makeCookieRenewal(config, identity, nowMs)),
    writeRefusal,
    auditIsBehind: () => audit.isBehind(),
    observe: makeObserve({
      audit,
      metrics,
      policyRevision: () => store.current().revision,
      networkOf: makeNetworkOf(store.files),
    }),
    onFault: (error) => {
      metrics.fault()
      logger.error(error, 'a decision failed; it was answered with no access')
    },
  }
  return { authz, cacheEntries }
}

const composePublic = (parts: Parts, metrics: Metrics): ReturnType<typeof makePublicApp> => {
  const { config, store, logger, signer } = parts
  const signIn = composeSignIn(config, { ...parts, policies: store.current, metrics })
  return makePublicApp({
    prefix: config.publicUrl.basePath,
    secure: config.publicUrl.scheme === 'https',
    handlers: new Map([
      ['/sign-in', signIn.signIn],
      ['/callback/', signIn.callback],
      ['/sign-out', signIn.signOut],
      ['/signed-out', signIn.signedOut],
      ['/denied', signIn.denied],
      ['/me', signIn.me],
      ['/me.json', signIn.meJson],
      ['/renew', signIn.renew],
      ['/backchannel-logout', signIn.backChannel],
    ]),
    elsewhere: new Map(
      Object.entries(signIn.elsewhere ?? {}).map(([name, handler]) => [
        `${config.session.prefix}/${name}`,
        handler,
      ]),
    ),
    jwks: () => signer?.jwks() ?? { keys: [] },
    onFault: (error) => {
      metrics.fault()
      logger.error(error, 'a public request failed')
    },
  })
}

type FetchCallback = Parameters<typeof createAdaptorServer>[0]['fetch']

const serverOf = (fetch: FetchCallback): Server => {
  const options = { fetch, overrideGlobalObjects: false, serverOptions: SERVER_LIMITS }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without `createServer` it is an HTTP/1 server
  const server = createAdaptorServer(options) as Server
  // Node keeps about a thousand headers and drops the rest silently, a cookie among them.
  server.maxHeadersCount = 0
  return server
}
