// The corridor without sockets: the real reader, engine and writer around callers that are named by their cookie.
import { makeDecide, makeSettle, stricterRuling } from '../../../src/decide/decide.ts'
import type { Ruling } from '../../../src/decide/ruling.ts'
import { cookieValues } from '../../../src/identity/cookie-header.ts'
import type { Carried } from '../../../src/identity/carried.ts'
import type { Authenticate, Verified } from '../../../src/identity/verified.ts'
import { parseNetwork } from '../../../src/policy/network.ts'
import type { PolicySet } from '../../../src/policy/policy-set.ts'
import type { Authentication, Principal } from '../../../src/policy/principal.ts'
import type { Predicate } from '../../../src/policy/rule.ts'
import { Secret } from '../../../src/policy/secret.ts'
import type { Answer, AnswerSettings } from '../../../src/proxy/answer.ts'
import { dialectOf } from '../../../src/proxy/dialect.ts'
import type { Exchange, ProxySettings, WireRequest } from '../../../src/proxy/exchange.ts'
import { identityHeaders } from '../../../src/proxy/identity-headers.ts'
import { makeJudgePeer, refusePeer } from '../../../src/proxy/trusted-peer.ts'
import { writeAnswer, writeRefusal } from '../../../src/proxy/write-answer.ts'
import { buildSet, person, type RoutePlan } from '../../support/policy-builder.ts'

export const NOW_MS = Date.parse('2026-11-25T12:00:00Z')
export const DECISION_ID = '01JDH3Q0000000000000000001'
export const SESSION_COOKIE = '__Secure-postern'

export const ANYONE: readonly Predicate[] = [{ kind: 'anyone' }]
export const SIGNED_IN: readonly Predicate[] = [{ kind: 'authenticated' }]
export const groups = (...anyOf: readonly string[]): readonly Predicate[] => [{ kind: 'groups', anyOf }]
const READING: readonly Predicate[] = [{ kind: 'methods', anyOf: ['GET'] }]

const ADMINS = { path: '/admin', allow: { admins: groups('admins') } }
const ROOT = { path: '/', allow: { all: SIGNED_IN } }

/** The policy that the dialect cases assume. */
export const CONTRACT: readonly RoutePlan[] = [
  {
    route: 'app',
    hosts: ['app.example.com'],
    sections: [
      ROOT,
      ADMINS,
      { path: '/public', allow: { all: ANYONE } },
      { path: '/api', allow: { cors: [{ kind: 'preflight' }], all: SIGNED_IN } },
      {
        path: '/.well-known/acme-challenge/*',
        exact: true,
        allow: { acme: [...ANYONE, ...READING], all: SIGNED_IN },
      },
    ],
  },
  { route: 'open', hosts: ['open.example.com'], sections: [{ path: '/', allow: { all: ANYONE } }] },
  { route: 'admin', hosts: ['admin.example.com'], sections: [{ ...ADMINS, path: '/' }] },
  {
    route: 'ro',
    hosts: ['ro.example.com'],
    sections: [{ path: '/', allow: { read: [...groups('readers'), ...READING] } }],
  },
]

/** The policy that the attack cases assume. */
export const P0: readonly RoutePlan[] = [
  { route: 'pub', hosts: ['pub.example.com'], sections: [{ path: '/', allow: { all: ANYONE } }] },
  {
    route: 'app',
    hosts: ['app.example.com'],
    sections: [ROOT, ADMINS, { path: '/public', allow: { all: ANYONE } }],
  },
  { route: 'secure', hosts: ['secure.example.com'], sections: [{ ...ADMINS, path: '/' }] },
]

/** Who a cookie value stands for: `alice`, `root`, `user:NAME`, `group:NAME`, `manygroups`, `renew:NAME`, and faults. */
const personOf = (state: string): Principal | undefined => {
  const [name = '', rest = ''] = state.split(/:(.*)/s)
  switch (name) {
    case 'alice':
      return person('alice', ['readers', 'staff'])
    case 'dev':
      return person('dev', ['dev'])
    case 'root':
      return person('root', ['admins', 'staff'])
    case 'manygroups':
      return person(
        'many',
        Array.from({ length: 500 }, (_, index) => `team-${index}`),
      )
    case 'user':
      return person(rest, ['readers'])
    case 'group':
      return person('grouped', [rest])
    case 'renew':
      return personOf(rest)
    default:
      return undefined
  }
}

const verified = (authentication: Authentication, over: Partial<Verified> = {}): Verified => ({
  authentication,
  consumed: 'none',
  foreignAuthorization: false,
  note: undefined,
  revocable: undefined,
  ...over,
})

/** Sessions by name; a bearer token is never good, Basic is the application's own. */
const authenticate: Authenticate = (carried) => {
  const [state] = cookieValues(carried.cookies, SESSION_COOKIE)
  const foreignAuthorization = carried.authorization !== undefined
  const principal = state === undefined ? undefined : personOf(state)
  if (principal !== undefined)
    return verified({ kind: 'verified', principal }, { consumed: 'cookie', foreignAuthorization })
  if (state === 'store-down')
    return verified({ kind: 'unavailable', reason: 'ERROR_STATE', why: 'the store does not answer' })
  if (carried.authorization?.startsWith('Bearer ') === true)
    return verified(BAD_BEARER, { foreignAuthorization })
  const note = state === 'expired' || state === 'revoked' ? state : undefined
  return verified({ kind: 'anonymous', note }, { foreignAuthorization })
}

const BAD_BEARER: Authentication = {
  kind: 'rejected',
  reason: 'DENY_CRED_INVALID',
  credential: 'bearer',
  why: 'of no issuer that is believed',
}

const decide = makeDecide(
  makeSettle({
    authenticate,
    prepareIdentity: (route, _section, caller, identity) => ({
      headers: identityHeaders({
        names: route.identity,
        principal:
          identity === 'caller' && caller.authentication.kind === 'verified'
            ? caller.authentication.principal
            : undefined,
        assertion: '',
        qualified: false,
      }).headers,
      untilMs: Number.POSITIVE_INFINITY,
    }),
  }),
)

export const PROXY_SETTINGS: ProxySettings = {
  hostHeader: 'optional',
  externalScheme: undefined,
  clientIp: { nginx: 'x-real-ip', forward: 'x-forwarded-for', ext: undefined },
}

export const ANSWER_SETTINGS: AnswerSettings = {
  publicUrl: 'https://login.example.com',
  ownCookies: new Set([SESSION_COOKIE]),
  page: ({ kind }) => ({
    html: `<!doctype html><title>${kind}</title>`,
    headers: ['Referrer-Policy', 'no-referrer'],
  }),
}

export interface Asking {
  readonly set: PolicySet
  readonly settings?: Partial<ProxySettings>
  readonly key?: string | undefined
  readonly peer?: string
}

export const CONTRACT_SET = buildSet(CONTRACT)
export const P0_SET = buildSet(P0)

/** Asks as a proxy would; undefined where the target speaks no dialect. */
export const ask = async (request: WireRequest, asking: Asking): Promise<Answer | undefined> => {
  const dialect = dialectOf(request.target)
  if (dialect === undefined) return undefined
  const judgePeer = makeJudgePeer({
    trusted: [parseNetwork('127.0.0.0/8')].filter((network) => network !== undefined),
    key: asking.key === undefined ? undefined : new Secret(asking.key),
  })
  const peer = judgePeer(asking.peer ?? '127.0.0.1', request.rawHeaders)
  if (peer.kind === 'untrusted') return writeRefusal(refusePeer(dialect.name, peer.why), DECISION_ID)
  const reading = dialect.read(request, { ...PROXY_SETTINGS, ...asking.settings })
  if (reading.kind === 'refused') return writeRefusal(reading, DECISION_ID)
  return answerOf(reading, await ruleOn(reading, asking.set))
}

const ruleOn = async (exchange: Exchange, set: PolicySet): Promise<Ruling> => {
  const reported = await decide(set, exchange.facts, exchange.carried, NOW_MS)
  if (exchange.servedFacts === undefined) return reported
  return stricterRuling(reported, await decide(set, exchange.servedFacts, exchange.carried, NOW_MS))
}

const answerOf = (exchange: Exchange, ruling: Ruling): Answer =>
  writeAnswer(
    {
      exchange,
      decision: ruling.decision,
      route: ruling.route,
      section: ruling.section,
      verified: ruling.verified,
      identityHeaders: ruling.identityHeaders,
      decisionId: DECISION_ID,
      setCookie: renewal(exchange.carried),
    },
    ANSWER_SETTINGS,
  )

const renewal = (carried: Carried): string | undefined =>
  cookieValues(carried.cookies, SESSION_COOKIE)[0]?.startsWith('renew:') === true
    ? `${SESSION_COOKIE}=renewed; Path=/; Secure; HttpOnly; SameSite=Lax`
    : undefined

/** A flat list as a map of lower-case names. */
export const headerMap = (flat: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const pairs = flat
    .map((text, index) => [text.toLowerCase(), flat[index + 1] ?? ''] as const)
    .filter((_, index) => index % 2 === 0)
  return new Map(
    [...Map.groupBy(pairs, ([name]) => name)].map(([name, rows]) => [name, rows.map(([, value]) => value)]),
  )
}
