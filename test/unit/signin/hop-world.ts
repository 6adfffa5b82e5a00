// The hop between hosts without a provider: the real handlers, seals, tickets and session cookies; who is signed in at
// the host of sign-in is said by its cookie, and everybody who is may pass.
import { randomBytes } from 'node:crypto'
import { cookieValues } from '../../../src/identity/cookie-header.ts'
import { makeSeal, type Seal } from '../../../src/identity/seal.ts'
import { openSession, sealSession } from '../../../src/identity/session-seal.ts'
import type { Session } from '../../../src/identity/session.ts'
import type { CurrentSession, Judged, SignInEvent } from '../../../src/signin/deps.ts'
import { makeSignIn } from '../../../src/signin/make-sign-in.ts'
import type { SignInHandler, SignInWebAnswer } from '../../../src/signin/web.ts'
import { makeTicketTable } from '../../../src/state/tickets.ts'
import { aliceSession } from '../identity/session-fixture.ts'

export const AUTH = 'auth.example.com'
export const A = 'a.example.com'
export const B = 'b.example.org'
export const NAME = '__Host-postern'
export const NONCE = '__Host-postern-nonce'

export interface Ask {
  readonly host: string
  /** Path and query. */
  readonly target: string
  /** Name → value. */
  readonly cookies?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
}

export interface HopWorld {
  readonly ask: (asked: Ask) => Promise<SignInWebAnswer>
  /** A cookie value that is good on a host. */
  readonly cookieOf: (host: string, session?: Session) => string
  /** What a cookie value says on a host. */
  readonly opened: (host: string, value: string | undefined) => Session | undefined
  readonly events: readonly SignInEvent[]
  readonly revoked: Set<string>
  readonly turns: { aheadSeconds: number; state: 'up' | 'down'; routeHosts: readonly string[] }
  readonly faults: readonly unknown[]
}

/** A session that lives at the true time. */
export const liveSession = (changes: Partial<Session> = {}): Session => {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return aliceSession({
    id: randomBytes(16).toString('base64url'),
    issuedAtSeconds: nowSeconds - 60,
    learnedAtSeconds: nowSeconds - 10,
    authTimeSeconds: nowSeconds - 60,
    expiresAtSeconds: nowSeconds + 3600,
    ...changes,
  })
}

export const makeHopWorld = (publicUrl = `https://${AUTH}`): HopWorld => {
  const key = randomBytes(32)
  const sealFor = (purpose: string): Seal => makeSeal({ keys: [key], purpose })
  const sessionSeal = sealFor('session')
  const turns: HopWorld['turns'] = { aheadSeconds: 0, state: 'up', routeHosts: [A, B] }
  const nowSeconds = (): number => Date.now() / 1000 + turns.aheadSeconds
  const revoked = new Set<string>()
  const events: SignInEvent[] = []
  const faults: unknown[] = []
  const publicHost = new URL(publicUrl).hostname
  const opened: HopWorld['opened'] = (host, value) =>
    value === undefined ? undefined : openSession(sessionSeal, value, { name: NAME, boundTo: host })
  const readSession = (cookies: readonly string[], host: string = publicHost): CurrentSession => {
    if (turns.state === 'down') return { kind: 'unavailable' }
    const session = opened(host, cookieValues(cookies, NAME)[0])
    if (session === undefined || revoked.has(session.id)) return { kind: 'none' }
    return session.expiresAtSeconds > nowSeconds() ? { kind: 'session', session } : { kind: 'none' }
  }
  const tickets = makeTicketTable(1 << 20, nowSeconds)
  const signIn = makeSignIn(
    {
      settings: {
        publicUrl,
        ownPrefix: '/postern',
        externalScheme: 'https',
        cookie: { name: NAME, domain: undefined },
        absoluteSeconds: 3600,
        freshnessSeconds: 600,
        accessContact: undefined,
      },
      providers: new Map(),
      isSettled: async () => true,
      grants: { get: () => undefined, put: async () => undefined, drop: async () => undefined },
      isRouteHost: (host) => turns.routeHosts.includes(host),
      decideFor: async (_, cookies) => judged(readSession(cookies)),
      readSession,
      policy: () => ({
        claims: [],
        fit: { headerOnlyClaims: new Set(), namedGroups: new Set(), groupsRevision: '' },
      }),
      sessionSeal,
      transactionSeal: sealFor('transaction'),
      formSeal: sealFor('form'),
      tickets: {
        seal: sealFor('ticket'),
        keep: (...args) => (turns.state === 'down' ? false : tickets.keep(...args)),
        take: (id) => (turns.state === 'down' ? { kind: 'unreachable' } : tickets.take(id)),
      },
      mayUse: () => 'first',
      useOnce: () => 'first',
      revokeSession: () => true,
      revocationNumber: () => 0,
      endProviderSession: async () => ({ number: 0, durable: true }),
      readLogoutToken: async () => {
        throw new Error('no provider sends one')
      },
      renew: () => ({ kind: 'impossible' }),
      nowMs: () => nowSeconds() * 1000,
      randomId: () => randomBytes(18).toString('base64url'),
      onEvent: (event) => void events.push(event),
    },
    (error) => void faults.push(error),
  )
  const handlers = new Map<string, SignInHandler | undefined>([
    ['/sign-in', signIn.signIn],
    ['/postern/leave', signIn.elsewhere?.leave],
    ['/postern/land', signIn.elsewhere?.land],
    ['/postern/renew', signIn.elsewhere?.renew],
  ])
  return {
    ask: ({ host, target, cookies = {}, headers = {}, method = 'GET' }) => {
      const { pathname, searchParams } = new URL(target, 'https://any.example.com')
      const handler = handlers.get(pathname)
      if (handler === undefined) throw new Error(`nothing answers ${pathname}`)
      const line = Object.entries(cookies).map(([name, value]) => `${name}=${value}`)
      return handler({
        method,
        path: pathname,
        query: [...searchParams],
        headers: new Map(Object.entries({ host, ...headers })),
        cookies: line.length === 0 ? [] : [line.join('; ')],
        form: [],
      })
    },
    cookieOf: (host, session = liveSession()) => {
      const sealing = sealSession(sessionSeal, session, { name: NAME, boundTo: host })
      return sealing.kind === 'sealed' ? sealing.value : ''
    },
    opened,
    events,
    revoked,
    turns,
    faults,
  }
}

const judged = (current: CurrentSession): Judged => {
  const session = current.kind === 'session' ? current.session : undefined
  const where = { route: 'r', section: '/', rule: 'r#all' }
  return {
    decision:
      session === undefined
        ? {
            ...where,
            outcome: 'challenge',
            reason: 'CHALLENGE_NO_CREDENTIAL',
            demand: { kind: 'credential', accepts: ['session'] },
          }
        : { ...where, outcome: 'allow', reason: 'ALLOW_RULE', identity: 'caller' },
    decisionId: 'd-1',
    session,
    owner: undefined,
    providers: ['corp'],
    rules: [],
    signInMayHelp: false,
  }
}

/** Value of a header that stands once. */
export const headerOf = (answer: SignInWebAnswer, name: string): string | undefined =>
  answer.headers.find(([key]) => key === name)?.[1]

export const codeOf = (answer: SignInWebAnswer): string | undefined =>
  answer.body.kind === 'page' && answer.body.page.name === 'error' ? answer.body.page.code : undefined
