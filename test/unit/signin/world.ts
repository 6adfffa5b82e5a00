// A small world around sign-in: real providers on sockets, the real policy engine and session cookie, an application
// behind a proxy that asks for a decision, and fakes that behave for the state.
import { randomBytes } from 'node:crypto'
import { makeSeal, type Seal } from '../../../src/identity/seal.ts'
import { makeVerifySession } from '../../../src/identity/session-credential.ts'
import { openSession } from '../../../src/identity/session-seal.ts'
import { cookieValues } from '../../../src/identity/cookie-header.ts'
import type { Session } from '../../../src/identity/session.ts'
import type { ProviderSource } from '../../../src/identity/source.ts'
import { renderAnswer } from '../../../src/pages/render.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import { sectionsOfHost, type PolicySet } from '../../../src/policy/policy-set.ts'
import { ANONYMOUS } from '../../../src/policy/principal.ts'
import { Secret } from '../../../src/policy/secret.ts'
import type { TracedRule } from '../../../src/policy/trace.ts'
import type {
  Grant,
  DecideFor,
  Judged,
  ProviderSettings,
  SignInDeps,
  SignInEvent,
  SignInPolicy,
  SignInSettings,
} from '../../../src/signin/deps.ts'
import { makeSignIn } from '../../../src/signin/make-sign-in.ts'
import { makeProvider, type Provider } from '../../../src/signin/provider.ts'
import type { SignInHandler } from '../../../src/signin/web.ts'
import { buildSet, type RoutePlan } from '../../support/policy-builder.ts'
import { SECOND_FACTOR_ACR, startTestProvider, type TestProvider } from '../../support/oidc-provider.ts'
import { makeBrowser, type Browser, type Serve, type Shown } from './browser.ts'

export const PUBLIC = 'https://auth.example.com'
export const APP = 'https://app.example.com'
export const COOKIE = '__Secure-postern'
/** How the names of binding cookies begin. */
export const BIND = '__Host-postern-bind-'

export const ROUTES: readonly RoutePlan[] = [
  {
    route: 'grafana',
    hosts: ['app.example.com'],
    sections: [
      {
        path: '/',
        accepts: ['session'],
        deny: { 'no-contractors': [{ kind: 'groups', anyOf: ['contractors'] }] },
        allow: { edit: [{ kind: 'groups', anyOf: ['sre'] }] },
      },
      {
        path: '/strong',
        accepts: ['session'],
        allow: { strong: [{ kind: 'groups', anyOf: ['sre'] }, { kind: 'mfa' }] },
      },
      {
        path: '/fresh',
        accepts: ['session'],
        allow: {
          fresh: [
            { kind: 'groups', anyOf: ['sre'] },
            { kind: 'auth_age', maxSeconds: 60 },
          ],
        },
      },
      { path: '/api', accepts: ['api-key'], allow: { any: [{ kind: 'authenticated' }] } },
      { path: '/public', accepts: ['session'], allow: { all: [{ kind: 'anyone' }] } },
      {
        path: '/named',
        accepts: ['session'],
        allow: { named: [{ kind: 'claim', name: 'name', anyOf: ['Ada Lovelace'] }] },
      },
    ],
  },
]

export interface World {
  readonly provider: TestProvider
  readonly second: TestProvider | undefined
  readonly deps: SignInDeps
  /** The same, with somebody between us and the providers. */
  readonly through: (by: typeof fetch) => SignInDeps
  readonly handlers: Readonly<Record<string, SignInHandler>>
  readonly browser: () => Browser
  readonly events: SignInEvent[]
  readonly revoked: Set<string>
  /** Transactions that were used up. */
  readonly used: ReadonlySet<string>
  /** Changed by a test as it goes. */
  readonly turns: Turns
  /** The session of a browser, as its cookie says. */
  readonly sessionOf: (browser: Browser) => Session | undefined
  readonly faults: unknown[]
  readonly close: () => Promise<void>
}

export interface Turns {
  /** Added to the clock of sign-in. */
  clockMs: number
  policy: SignInPolicy
  state: 'up' | 'down' | 'full'
  /** False: a revocation holds here, but could not be written down. */
  recorded: boolean
  routeProviders: readonly string[]
  /** Changes a judged decision before sign-in sees it. */
  judge: (judged: Judged) => Judged
}

export interface WorldOptions {
  readonly claimsInIdToken?: boolean
  readonly endSession?: boolean
  readonly twoProviders?: boolean
  readonly settings?: Partial<SignInSettings>
  readonly mfaAcr?: readonly string[]
}

const CLAIMS: ProviderSource['claims'] = { name: 'name', email: 'email', groups: 'groups' }

export const makeWorld = async (options: WorldOptions = {}): Promise<World> => {
  const start = (id: string): Promise<TestProvider> =>
    startTestProvider(
      {
        clientId: 'postern',
        clientSecret: 'planted-client-secret',
        redirectUris: [`${PUBLIC}/callback/${id}`],
        postLogoutRedirectUris: [`${PUBLIC}/signed-out`],
      },
      { claimsInIdToken: options.claimsInIdToken ?? true, endSession: options.endSession ?? true },
    )
  const provider = await start('corp')
  const second = options.twoProviders === true ? await start('partner') : undefined
  const providers = [
    settingsOf('corp', provider, options.mfaAcr ?? [SECOND_FACTOR_ACR]),
    ...(second === undefined ? [] : [settingsOf('partner', second, [])]),
  ]
  const set = buildSet(ROUTES)
  const key = randomBytes(32)
  const sealFor = (purpose: string): Seal => makeSeal({ keys: [key], purpose })
  const sessionSeal = sealFor('session')
  const binding = { name: COOKIE, boundTo: 'example.com' }
  const turns: Turns = {
    clockMs: 0,
    policy: {
      claims: ['email', 'groups'],
      fit: { headerOnlyClaims: new Set(['email']), namedGroups: new Set(['sre']), groupsRevision: 'g:1' },
    },
    state: 'up',
    recorded: true,
    routeProviders: providers.map((one) => one.source.id),
    judge: (judged) => judged,
  }
  const revoked = new Set<string>()
  const used = new Set<string>()
  const grants = new Map<string, Grant>()
  const events: SignInEvent[] = []
  const faults: unknown[] = []
  const nowMs = (): number => Date.now() + turns.clockMs
  const open = (cookies: readonly string[]): Session | undefined => {
    const [value] = cookieValues(cookies, COOKIE)
    const session = value === undefined ? undefined : openSession(sessionSeal, value, binding)
    if (session === undefined || revoked.has(session.id)) return undefined
    return session.expiresAtSeconds * 1000 > nowMs() ? session : undefined
  }
  const verify = makeVerifySession(
    {
      seal: sessionSeal,
      bindingFor: () => binding,
      providers: providers.map((one) => one.source),
      idleSeconds: 3600,
      processStartSeconds: 0,
      freshnessSeconds: 12 * 3600,
    },
    {
      checkRevocation: (one) => (one.id !== undefined && revoked.has(one.id) ? 'revoked' : 'live'),
      lastUse: () => undefined,
      groupsRevision: () => turns.policy.fit.groupsRevision,
      learned: () => undefined,
    },
  )
  const decideFor: DecideFor = async (target, cookies) => {
    const walked = walk(set, target.host, target.pathAndQuery, cookies, verify, nowMs())
    return turns.judge({
      ...walked,
      decisionId: 'd-1',
      session: open(cookies),
      owner: 'team-observability',
      providers: turns.routeProviders,
      signInMayHelp: false,
    })
  }
  const lookUp = (id: string): 'first' | 'again' | 'full' | 'unreachable' => {
    if (turns.state === 'down') return 'unreachable'
    if (used.has(id)) return 'again'
    return turns.state === 'full' ? 'full' : 'first'
  }
  const providersBy = (by: typeof fetch): ReadonlyMap<string, Provider> =>
    new Map(providers.map((one) => [one.source.id, makeProvider(one, { fetch: by, nowMs })]))
  const deps: SignInDeps = {
    settings: {
      publicUrl: PUBLIC,
      ownPrefix: undefined,
      externalScheme: 'https',
      cookie: { name: COOKIE, domain: 'example.com' },
      absoluteSeconds: 12 * 3600,
      freshnessSeconds: 12 * 3600,
      accessContact: undefined,
      ...options.settings,
    },
    providers: providersBy(fetch),
    grants: {
      get: (id) => grants.get(id),
      put: async (id, grant) => void grants.set(id, grant),
      drop: async (id) => void grants.delete(id),
    },
    isRouteHost: (host) => sectionsOfHost(set, host) !== undefined,
    decideFor,
    readSession: (cookies) => {
      if (turns.state === 'down') return { kind: 'unavailable' }
      const session = open(cookies)
      return session === undefined ? { kind: 'none' } : { kind: 'session', session }
    },
    policy: () => turns.policy,
    sessionSeal,
    transactionSeal: sealFor('sign-in'),
    formSeal: sealFor('form'),
    mayUse: lookUp,
    useOnce: (id) => {
      const found = lookUp(id)
      if (found === 'first') used.add(id)
      return found
    },
    revokeSession: (session) => {
      revoked.add(session.id)
      return turns.recorded
    },
    isSettled: async () => true,
    renew: () => ({ kind: 'impossible' }),
    readLogoutToken: async () => ({ kind: 'refused', provider: undefined, why: 'not in this world' }),
    endProviderSession: async () => ({ number: 0, durable: true }),
    revocationNumber: () => (turns.state === 'down' ? undefined : 7),
    nowMs,
    randomId: () => randomBytes(16).toString('base64url'),
    onEvent: (event) => void events.push(event),
  }
  const signIn = makeSignIn(deps, (error) => void faults.push(error))
  const handlers: Readonly<Record<string, SignInHandler>> = {
    '/sign-in': signIn.signIn,
    '/callback/': signIn.callback,
    '/sign-out': signIn.signOut,
    '/signed-out': signIn.signedOut,
    '/denied': signIn.denied,
    '/me': signIn.me,
    '/me.json': signIn.meJson,
  }
  const hosts = new Map<string, Serve>([
    ['auth.example.com', servePublic(handlers)],
    ['app.example.com', serveApp((host, path, cookies) => walk(set, host, path, cookies, verify, nowMs()))],
  ])
  return {
    provider,
    second,
    deps,
    through: (by) => ({ ...deps, providers: providersBy(by) }),
    handlers,
    browser: () => makeBrowser(hosts),
    events,
    revoked,
    used,
    turns,
    sessionOf: (browser) => {
      const value = browser.cookie(COOKIE)
      return value === undefined ? undefined : openSession(sessionSeal, value, binding)
    },
    faults,
    close: async () => {
      await provider.close()
      await second?.close()
    },
  }
}

const settingsOf = (id: string, provider: TestProvider, mfaAcr: readonly string[]): ProviderSettings => ({
  source: {
    kind: 'provider',
    id,
    issuer: provider.issuer,
    claims: CLAIMS,
    isDefault: true,
    emailTrusted: false,
    mfa: mfaAcr.length === 0 ? undefined : { amr: ['otp'], acr: mfaAcr },
    clientId: 'postern',
  },
  label: `Example ${id}`,
  clientSecret: new Secret('planted-client-secret'),
  scopes: ['openid', 'profile', 'email', 'groups'],
  timeoutSeconds: 5,
})

interface Walk {
  readonly decision: Judged['decision']
  readonly rules: readonly TracedRule[]
}

const walk = (
  set: PolicySet,
  hostText: string,
  pathAndQuery: string,
  cookies: readonly string[],
  verify: ReturnType<typeof makeVerifySession>,
  nowMs: number,
): Walk => {
  const host = normalizeHost(hostText)
  const read = readPath(pathAndQuery.split('?', 1)[0] ?? '/')
  if (host === undefined || read.kind === 'malformed') throw new Error('not a request')
  const facts: RequestFacts = {
    host,
    method: 'GET',
    path: read.path,
    preflight: false,
    origin: undefined,
    clientIp: undefined,
  }
  const match = matchRoute(set, facts)
  const rules: TracedRule[] = []
  const decision = evaluate(
    match,
    facts,
    (section) =>
      match.kind === 'matched' && section.accepts.includes('session')
        ? verify(cookies, { route: match.route, section, host, nowMs }).authentication
        : ANONYMOUS,
    nowMs,
    (_, rule) => void rules.push(rule),
  )
  return { decision, rules }
}

const servePublic =
  (handlers: Readonly<Record<string, SignInHandler>>): Serve =>
  async ({ method, url, headers, cookies, form }) => {
    const below = url.pathname.slice(0, url.pathname.lastIndexOf('/') + 1)
    const handler = handlers[url.pathname] ?? handlers[below]
    if (handler === undefined) return new Response('not found', { status: 404 })
    const answer = await handler({
      method,
      path: url.pathname,
      query: [...url.searchParams],
      headers,
      cookies,
      form,
    })
    const rendered = renderAnswer(answer, true)
    const out = new Headers()
    for (const [name, value] of rendered.headers) out.append(name, value)
    return new Response(rendered.body, { status: rendered.status, headers: out })
  }

/** An application behind a proxy that follows our `Location` and shows our 403. */
const serveApp =
  (decide: (host: string, path: string, cookies: readonly string[]) => Walk): Serve =>
  async ({ url, cookies }) => {
    const { decision } = decide(url.hostname, url.pathname + url.search, cookies)
    switch (decision.outcome) {
      case 'allow':
        return new Response(`application ${url.pathname}${url.search}`)
      case 'challenge':
        return new Response(null, {
          status: 302,
          headers: { location: `${PUBLIC}/sign-in?rd=${encodeURIComponent(url.href)}` },
        })
      case 'deny':
        return new Response('denied by the proxy', { status: 403 })
      case 'indeterminate':
        return new Response('unavailable', { status: 503 })
    }
  }

/** Fills in the provider's form and goes on. */
export const logIn = async (
  browser: Browser,
  form: Shown,
  username: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Shown> => {
  if (!form.url.includes('/login/'))
    throw new Error(`no login form at ${form.url}: ${form.status} ${form.body}`)
  return browser.follow(await browser.post(form.url, { username, password: username, ...extra }))
}

/** The claims without one of them. */
export const without = (claims: object, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))
