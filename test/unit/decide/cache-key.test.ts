import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheKey, type KeyContext } from '../../../src/decide/cache-key.ts'
import type { Matched } from '../../../src/decide/decide.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost, type HostName } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { parseNetwork } from '../../../src/policy/network.ts'
import { compilePath } from '../../../src/policy/path-pattern.ts'
import { readPath, type PathViews } from '../../../src/policy/path-views.ts'
import type { Predicate } from '../../../src/policy/rule.ts'
import { buildSet, person } from '../../support/policy-builder.ts'

const host = (text: string): HostName => {
  const name = normalizeHost(text)
  if (name === undefined) throw new Error(text)
  return name
}
const path = (raw: string): PathViews => {
  const reading = readPath(raw)
  if (reading.kind === 'malformed') throw new Error(reading.why)
  return reading.path
}
const network = (text: string) => {
  const parsed = parseNetwork(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}

const CONTEXT: KeyContext = {
  policyRevision: 'p:1',
  keyRevision: 1,
  stageEpoch: 0,
  credentialDigest: 'd',
  hostBound: false,
}
const FACTS: RequestFacts = {
  host: host('app.example.com'),
  method: 'GET',
  path: path('/a/b'),
  preflight: false,
  origin: undefined,
  clientIp: '10.8.0.1',
}

const PREDICATES: readonly Predicate[] = [
  { kind: 'methods', anyOf: ['GET', 'POST'] },
  { kind: 'paths', anyOf: [compilePath('/a', true)] },
  { kind: 'preflight' },
  { kind: 'from_networks', anyOf: [network('10.8.0.0/16')], labels: ['vpn'] },
  { kind: 'anyone' },
  { kind: 'authenticated' },
  { kind: 'groups', anyOf: ['sre'] },
]

const matchedBy = (predicates: readonly Predicate[], facts: RequestFacts): Matched => {
  const set = buildSet([
    {
      route: 'app',
      hosts: ['*.example.com'],
      sections: [{ path: '/', allow: { one: predicates, two: [{ kind: 'groups', anyOf: ['none'] }] } }],
    },
  ])
  const match = matchRoute(set, facts)
  if (match.kind !== 'matched') throw new Error(match.kind)
  return match
}

/** What a section may read without the key naming it: the route and section are in the key already. */
const factsArbitrary = fc.record({
  host: fc.constantFrom(host('app.example.com'), host('other.example.com')),
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE', 'WEBSOCKET'),
  path: fc.constantFrom('/a', '/A', '/a/', '/a/../b', '/b', '/a/%2e%2e/b', '/a%23', '/a;x=1/b').map(path),
  preflight: fc.boolean(),
  origin: fc.constantFrom(undefined, 'https://app.example.com', 'https://evil.test'),
  clientIp: fc.constantFrom(undefined, '10.8.0.1', '192.0.2.1'),
})

describe('cache key', () => {
  it('is equal only for requests that every rule answers alike, whatever the rules read', () => {
    fc.assert(
      fc.property(
        fc.subarray([...PREDICATES], { minLength: 1 }),
        factsArbitrary,
        factsArbitrary,
        fc.constantFrom(undefined, person('ada', ['sre']), person('ben', [])),
        (predicates, one, other, principal) => {
          const [a, b] = [matchedBy(predicates, one), matchedBy(predicates, other)]
          const authentication =
            principal === undefined
              ? { kind: 'anonymous' as const, note: undefined }
              : { kind: 'verified' as const, principal }
          // Sections of the two sets are rebuilt each time; only their content counts.
          if (cacheKey(a, one, CONTEXT) !== cacheKey(b, other, CONTEXT)) return
          const decide = (matched: Matched, facts: RequestFacts) =>
            evaluate(matched, facts, () => authentication, 1_700_000_100_000)
          expect(decide(a, one)).toEqual(decide(b, other))
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('names every fact that evaluation reads: a tainted fact outside the key is never touched', () => {
    fc.assert(
      fc.property(fc.subarray([...PREDICATES], { minLength: 1 }), factsArbitrary, (predicates, facts) => {
        const matched = matchedBy(predicates, facts)
        const read = new Set<string>()
        const spying = (target: RequestFacts): RequestFacts =>
          new Proxy(target, {
            get: (object, name) => {
              read.add(String(name))
              return Reflect.get(object, name)
            },
          })
        evaluate(
          matched,
          spying(facts),
          () => ({ kind: 'verified', principal: person('ada', ['sre']) }),
          1_700_000_100_000,
        )
        const section = matched.sections[0]
        const keyed = new Set<string>(['method', 'origin', 'networksUndecided'])
        if (section.reads.path || section.reads.bypass) keyed.add('path')
        if (section.reads.clientIp) keyed.add('clientIp')
        if (section.reads.preflight) keyed.add('preflight')
        expect([...read].filter((name) => !keyed.has(name))).toEqual([])
        // `method` is read for the WebSocket check always, and counts beyond that only where a rule names methods.
        if (!section.reads.method && facts.method !== 'WEBSOCKET') {
          const other = { ...facts, method: 'PATCH' }
          const verified = () => ({ kind: 'verified' as const, principal: person('ada', ['sre']) })
          expect(evaluate(matched, other, verified, 1)).toEqual(evaluate(matched, facts, verified, 1))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['policy revision', { policyRevision: 'p:2' }],
    ['key revision', { keyRevision: 2 }],
    ['stage epoch', { stageEpoch: 1 }],
    ['credential', { credentialDigest: 'e' }],
  ])('differs by %s', (_, over) => {
    const matched = matchedBy([{ kind: 'authenticated' }], FACTS)
    expect(cacheKey(matched, FACTS, { ...CONTEXT, ...over })).not.toBe(cacheKey(matched, FACTS, CONTEXT))
  })

  it('differs by host only where a session is bound to one', () => {
    const other = { ...FACTS, host: host('other.example.com') }
    const key = (facts: RequestFacts, hostBound: boolean): string =>
      cacheKey(matchedBy([{ kind: 'authenticated' }], facts), facts, { ...CONTEXT, hostBound })
    expect(key(FACTS, false)).toBe(key(other, false))
    expect(key(FACTS, true)).not.toBe(key(other, true))
  })

  it('keeps fields apart whatever is in them', () => {
    const matched = matchedBy([{ kind: 'authenticated' }], FACTS)
    // Short texts of digits, separators and letters are what would run together without lengths.
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom('1', '2', ':', 'a', '#'), maxLength: 6 }),
      fc.string(),
    )
    const context = fc.record({
      policyRevision: text,
      credentialDigest: text,
      keyRevision: fc.nat(20),
      stageEpoch: fc.nat(20),
    })
    fc.assert(
      fc.property(context, context, (one, other) => {
        const key = (over: Partial<KeyContext>): string => cacheKey(matched, FACTS, { ...CONTEXT, ...over })
        const isSame =
          one.policyRevision === other.policyRevision &&
          one.credentialDigest === other.credentialDigest &&
          one.keyRevision === other.keyRevision &&
          one.stageEpoch === other.stageEpoch
        expect(key(one) === key(other)).toBe(isSame)
      }),
      { numRuns: 5000 },
    )
  })

  it('stays short, however long a path or an origin is', () => {
    const long = {
      ...FACTS,
      path: path(`/${'a'.repeat(8_000)}`),
      method: 'WEBSOCKET',
      origin: `https://${'x'.repeat(9_000)}`,
    }
    const matched = matchedBy(
      [{ kind: 'paths', anyOf: [compilePath('/a', true)] }, { kind: 'authenticated' }],
      long,
    )
    expect(cacheKey(matched, long, CONTEXT).length).toBeLessThan(400)
    const other = { ...long, path: path(`/${'a'.repeat(7_999)}b`) }
    expect(cacheKey(matched, other, CONTEXT)).not.toBe(cacheKey(matched, long, CONTEXT))
  })
})
