// The handler of the decision listener around parts that can be made to fail: the real reader, engine, cache, preparation
// and writer, on a real socket.
import type { AddressInfo } from 'node:net'
import { makeCachedSettle } from '../../src/decide/cached.ts'
import { makeDecide, makeSettle } from '../../src/decide/decide.ts'
import type { PrepareIdentity } from '../../src/decide/ruling.ts'
import { credentialDigest } from '../../src/identity/credential-digest.ts'
import type { Authenticate } from '../../src/identity/verified.ts'
import { parseNetwork } from '../../src/policy/network.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import { makeJudgePeer } from '../../src/proxy/trusted-peer.ts'
import { writeAnswer, writeRefusal } from '../../src/proxy/write-answer.ts'
import { makeAuthz, type AuthzDeps } from '../../src/server/authz.ts'
import type { Observed } from '../../src/server/deliver.ts'
import { makeDecisionServer } from '../../src/server/decision-listener.ts'
import { buildSet, person } from './policy-builder.ts'
import { requestText, sendRaw, type RawAnswer } from './raw-http.ts'

/** Every function that a decision calls, by a name for the test. */
export interface Parts {
  readonly authenticate: Authenticate
  readonly prepareIdentity: PrepareIdentity
  readonly policies: () => PolicySet
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  readonly nextId: () => string
  readonly judgePeer: AuthzDeps['judgePeer']
  readonly writeDecision: AuthzDeps['writeDecision']
  readonly writeRefusal: AuthzDeps['writeRefusal']
  readonly auditIsBehind: () => boolean
  readonly observe: AuthzDeps['observe']
  readonly stillGood: () => boolean
  readonly cacheContext: () => void
  readonly onLookup: () => void
  readonly onFault: (error: unknown) => void
}

export interface AuthzServer {
  readonly observed: Observed[]
  readonly faults: unknown[]
  readonly ask: (question?: AuthzQuestion) => Promise<RawAnswer>
  readonly close: () => Promise<void>
}

export interface AuthzQuestion {
  readonly dialect?: 'nginx' | 'forward' | 'ext'
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly headers?: readonly (readonly [string, string])[]
}

/** `app` is for admins, `strict` too and must be recorded. */
export const AUTHZ_SET = buildSet([
  {
    route: 'app',
    hosts: ['app.example.com'],
    sections: [{ path: '/', allow: { admins: [{ kind: 'groups', anyOf: ['admins'] }] } }],
  },
  {
    route: 'strict',
    hosts: ['strict.example.com'],
    sections: [{ path: '/', allow: { admins: [{ kind: 'groups', anyOf: ['admins'] }] } }],
    over: { audit: 'strict' },
  },
])

const usualParts = (observed: Observed[], faults: unknown[]): Parts => {
  let ids = 0
  return {
    authenticate: () => ({
      authentication: { kind: 'verified', principal: person('root', ['admins']) },
      consumed: 'cookie',
      foreignAuthorization: false,
      note: undefined,
      revocable: {
        id: 'a-session',
        source: 'corp',
        subject: 'root',
        providerSession: undefined,
        number: 1,
        issuedAtSeconds: undefined,
        learnedAtSeconds: undefined,
      },
    }),
    prepareIdentity: () => ({ headers: ['X-Auth-Request-User', 'root'], untilMs: Number.POSITIVE_INFINITY }),
    policies: () => AUTHZ_SET,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    nextId: () => `id-${(ids += 1)}`,
    judgePeer: makeJudgePeer({
      trusted: [parseNetwork('127.0.0.0/8')].filter((one) => one !== undefined),
      key: undefined,
    }),
    writeDecision: (decision, exchange, ruling, decisionId) =>
      writeAnswer(
        {
          exchange,
          decision,
          route: ruling?.route,
          section: ruling?.section,
          verified: ruling?.verified,
          identityHeaders: ruling?.identityHeaders ?? [],
          decisionId,
          setCookie: undefined,
        },
        {
          publicUrl: 'https://login.example.com',
          ownCookies: new Set(),
          page: () => ({ html: '<!doctype html>', headers: [] }),
        },
      ),
    writeRefusal,
    auditIsBehind: () => false,
    observe: (one) => void observed.push(one),
    stillGood: () => true,
    cacheContext: () => undefined,
    onLookup: () => undefined,
    onFault: (error) => void faults.push(error),
  }
}

/** Starts a decision listener; what is given replaces the part that works. */
export const startAuthz = async (
  broken: (parts: Parts) => Partial<Parts> = () => ({}),
): Promise<AuthzServer> => {
  const observed: Observed[] = []
  const faults: unknown[] = []
  const usual = usualParts(observed, faults)
  const parts = { ...usual, ...broken(usual) }
  const settle = makeCachedSettle(
    makeSettle({ authenticate: parts.authenticate, prepareIdentity: parts.prepareIdentity }),
    { entries: 100, ttlMs: 60_000, idleMs: 60_000 },
    {
      context: (carried) => {
        parts.cacheContext()
        return {
          policyRevision: parts.policies().revision,
          keyRevision: 0,
          stageEpoch: 0,
          credentialDigest: credentialDigest(carried, ['postern']),
          hostBound: false,
        }
      },
      stillGood: parts.stillGood,
      onLookup: parts.onLookup,
    },
  ).settle
  const server = makeDecisionServer(
    makeAuthz({
      ...parts,
      settings: {
        hostHeader: 'optional',
        externalScheme: 'https',
        clientIp: { nginx: undefined, forward: undefined, ext: undefined },
      },
      decide: makeDecide(settle),
    }),
    (_, why) => `unreadable-${faults.push(why)}`,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    observed,
    faults,
    ask: (question = {}) => sendRaw(port, textOf(question)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const textOf = ({
  dialect = 'nginx',
  method = 'GET',
  host = 'app.example.com',
  path = '/x',
  headers = [],
}: AuthzQuestion): string => {
  switch (dialect) {
    case 'nginx':
      return requestText(method, '/authz/nginx', [
        ['X-Original-URL', `https://${host}${path}`],
        ['X-Original-Method', 'GET'],
        ...headers,
      ])
    case 'forward':
      return requestText(method, '/authz/forward', [
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', host],
        ['X-Forwarded-Uri', path],
        ...headers,
      ])
    case 'ext':
      return requestText(method, `/authz/ext${path}`, [['Host', host], ...headers])
  }
}
