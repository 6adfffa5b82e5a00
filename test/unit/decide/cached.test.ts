import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeCachedSettle } from '../../../src/decide/cached.ts'
import { makeDecide, makeSettle, type Decide } from '../../../src/decide/decide.ts'
import type { Ruling } from '../../../src/decide/ruling.ts'
import type { Carried } from '../../../src/identity/carried.ts'
import type { Verified } from '../../../src/identity/verified.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import type { PolicySet } from '../../../src/policy/policy-set.ts'
import type { Authentication, Principal } from '../../../src/policy/principal.ts'
import { buildSet, person } from '../../support/policy-builder.ts'

const START_MS = 1_700_000_000_000

/** A world in which sessions are revoked, expire and go idle, policies change and the clock steps. */
class World {
  nowMs = START_MS
  revision = 0
  outage = false
  readonly revoked = new Set<string>()
  readonly people: ReadonlyMap<string, Principal> = new Map([
    ['ada', person('ada', ['sre'])],
    ['ben', person('ben', ['eng'], { expiresAtSeconds: START_MS / 1000 + 40 })],
    ['cy', person('cy', ['eng', 'contractors'])],
    ['dee', person('dee', ['eng'], { authTimeSeconds: START_MS / 1000 - 3_590 })],
  ])
  readonly sets: readonly PolicySet[] = [policies('p:0', 'eng'), policies('p:1', 'nobody')]

  policies(): PolicySet {
    const set = this.sets[this.revision % 2]
    if (set === undefined) throw new Error('no policy set')
    return set
  }

  stillGood(subject: string): boolean {
    return !this.revoked.has(subject)
  }

  verify(carried: Carried): Verified {
    const authentication = this.authenticate(carried)
    const subject = authentication.kind === 'verified' ? authentication.principal.subject : undefined
    return {
      authentication,
      consumed: 'cookie',
      foreignAuthorization: false,
      note: undefined,
      revocable:
        subject === undefined
          ? undefined
          : {
              id: subject,
              source: 'corp',
              subject,
              providerSession: undefined,
              number: 0,
              issuedAtSeconds: undefined,
              learnedAtSeconds: undefined,
            },
    }
  }

  private authenticate(carried: Carried): Authentication {
    if (this.outage) return { kind: 'unavailable', reason: 'ERROR_IDP', why: 'down' }
    const principal = this.people.get(carried.cookies[0] ?? '')
    if (principal === undefined) return { kind: 'anonymous', note: undefined }
    if (!this.stillGood(principal.subject)) return { kind: 'anonymous', note: 'revoked' }
    const expired =
      principal.expiresAtSeconds !== undefined && this.nowMs >= principal.expiresAtSeconds * 1000
    return expired ? { kind: 'anonymous', note: 'expired' } : { kind: 'verified', principal }
  }
}

const policies = (revision: string, viewers: string): PolicySet =>
  buildSet(
    [
      {
        route: 'app',
        hosts: ['app.example.com'],
        sections: [
          {
            path: '/',
            deny: { contractors: [{ kind: 'groups', anyOf: ['contractors'] }] },
            allow: {
              edit: [{ kind: 'groups', anyOf: ['sre'] }],
              view: [
                { kind: 'methods', anyOf: ['GET'] },
                { kind: 'groups', anyOf: [viewers] },
              ],
              soon: [
                { kind: 'until', atMs: START_MS + 30_000, text: 'soon' },
                { kind: 'methods', anyOf: ['POST'] },
                { kind: 'groups', anyOf: ['eng'] },
              ],
            },
          },
          {
            path: '/fresh',
            allow: { fresh: [{ kind: 'authenticated' }, { kind: 'auth_age', maxSeconds: 3600 }] },
          },
          { path: '/public', allow: { open: [{ kind: 'anyone' }] } },
        ],
      },
    ],
    revision,
  )

const facts = (raw: string, method: string): RequestFacts => {
  const reading = readPath(raw)
  const host = normalizeHost('app.example.com')
  if (reading.kind === 'malformed' || host === undefined) throw new Error(raw)
  return { host, method, path: reading.path, preflight: false, origin: undefined, clientIp: undefined }
}

const carried = (cookie: string): Carried => ({
  authorization: undefined,
  proxyAuthorization: undefined,
  apiKey: undefined,
  cookies: cookie === '' ? [] : [cookie],
})

const pair = (
  world: World,
): {
  readonly plain: Decide
  readonly cached: Decide
  readonly lookups: string[]
  readonly size: () => number
} => {
  const settle = makeSettle({
    authenticate: (one) => world.verify(one),
    prepareIdentity: (_, __, verified, identity) => ({
      headers: [
        identity,
        verified.authentication.kind === 'verified' ? verified.authentication.principal.subject : '',
      ],
      untilMs: Number.POSITIVE_INFINITY,
    }),
  })
  const lookups: string[] = []
  const cached = makeCachedSettle(
    settle,
    { entries: 20, ttlMs: 25_000, idleMs: 3_600_000 },
    {
      context: (one) => ({
        policyRevision: world.policies().revision,
        keyRevision: 0,
        stageEpoch: 0,
        credentialDigest: one.cookies.join(),
        hostBound: false,
      }),
      stillGood: (revocable) => world.stillGood(revocable.subject),
      onLookup: (outcome) => lookups.push(outcome),
    },
  )
  return { plain: makeDecide(settle), cached: makeDecide(cached.settle), lookups, size: cached.size }
}

const rule = (decide: Decide, world: World, raw: string, method: string, who: string): Ruling => {
  const ruling = decide(world.policies(), facts(raw, method), carried(who), world.nowMs)
  if (ruling instanceof Promise) throw new Error('this world is synchronous')
  return ruling
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      who: fc.constantFrom('ada', 'ben', 'cy', 'dee', ''),
      path: fc.constantFrom('/', '/x', '/fresh', '/public/a', '/public/%2e%2e/x', '/nope/../public'),
      method: fc.constantFrom('GET', 'POST'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('revoke' as const), who: fc.constantFrom('ada', 'ben') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outage' as const), on: fc.boolean() }) },
)

describe('the cache is transparent', () => {
  it('answers as without it, for any interleaving of requests, revocations, reloads, outages and clock steps', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const world = new World()
        const { plain, cached } = pair(world)
        for (const one of steps) {
          if (one.do === 'revoke') world.revoked.add(one.who)
          else if (one.do === 'wait') world.nowMs += one.ms
          else if (one.do === 'reload') world.revision += 1
          else if (one.do === 'outage') world.outage = one.on
          else if (!world.outage) {
            const [a, b] = [plain, cached].map((decide) => rule(decide, world, one.path, one.method, one.who))
            expect({ ...b, cache: 'any' }).toEqual({ ...a, cache: 'any' })
          } else {
            // A cached allow may outlive an outage, never its own end; what was not decided before is not decided now.
            const [a, b] = [plain, cached].map((decide) => rule(decide, world, one.path, one.method, one.who))
            if (b?.cache === 'miss') expect(b.decision).toEqual(a?.decision)
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  it('is used at all: the second question is a hit', () => {
    const world = new World()
    const { cached, lookups } = pair(world)
    rule(cached, world, '/', 'GET', 'ada')
    expect(rule(cached, world, '/', 'GET', 'ada').cache).toBe('hit')
    expect(lookups).toEqual(['miss', 'hit'])
  })
})

describe('an entry ends', () => {
  const ask = (afterMs: number, path: string, method: string, who: string): readonly string[] => {
    const world = new World()
    const { cached } = pair(world)
    const before = rule(cached, world, path, method, who)
    world.nowMs += afterMs
    const after = rule(cached, world, path, method, who)
    return [before.decision.reason, after.decision.reason, after.cache]
  }

  it.each([
    ['with the credential', 40_000, '/', 'GET', 'ben', ['ALLOW_RULE', 'CHALLENGE_EXPIRED', 'miss']],
    ['with the date of a rule', 30_000, '/', 'POST', 'ben', ['ALLOW_RULE', 'DENY_RULE_EXPIRED', 'miss']],
    ['with the age of the sign-in', 10_001, '/fresh', 'GET', 'dee', ['ALLOW_RULE', 'CHALLENGE_MFA', 'miss']],
    ['with its own time', 25_000, '/', 'GET', 'ada', ['ALLOW_RULE', 'ALLOW_RULE', 'miss']],
    ['and not before', 24_999, '/', 'GET', 'ada', ['ALLOW_RULE', 'ALLOW_RULE', 'hit']],
  ])('%s', (_, afterMs, path, method, who, expected) => {
    expect(ask(afterMs, path, method, who)).toEqual(expected)
  })

  it('the moment its session is revoked', () => {
    const world = new World()
    const { cached } = pair(world)
    expect(rule(cached, world, '/', 'GET', 'ada').decision.outcome).toBe('allow')
    world.revoked.add('ada')
    expect(rule(cached, world, '/', 'GET', 'ada').decision).toMatchObject({
      outcome: 'challenge',
      reason: 'DENY_CRED_REVOKED',
    })
  })
})

it('a client’s long paths do not fill the memory: an entry stays small, and the cache is bounded in bytes', () => {
  const world = new World()
  const { cached, size } = pair(world)
  const withPaths = buildSet([
    {
      route: 'app',
      hosts: ['app.example.com'],
      sections: [
        {
          path: '/',
          allow: {
            one: [
              { kind: 'paths', anyOf: [] },
              { kind: 'groups', anyOf: ['sre'] },
            ],
          },
        },
      ],
    },
  ])
  for (let n = 0; n < 200; n += 1) {
    const ruling = cached(withPaths, facts(`/${'a'.repeat(8_000)}/${n}`, 'GET'), carried(''), world.nowMs)
    expect(ruling instanceof Promise).toBe(false)
  }
  expect(size()).toBeLessThanOrEqual(20)
})

it('an outage is answered and never remembered', () => {
  const world = new World()
  const { cached } = pair(world)
  world.outage = true
  expect(rule(cached, world, '/', 'GET', 'ada').decision.outcome).toBe('indeterminate')
  world.outage = false
  expect(rule(cached, world, '/', 'GET', 'ada').decision.outcome).toBe('allow')
})
