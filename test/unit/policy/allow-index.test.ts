// Walking only the rules that a caller's groups can hit decides what walking all of them decides.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allowsToWalk } from '../../../src/policy/allow-index.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { RequestFacts } from '../../../src/policy/facts.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { matchRoute } from '../../../src/policy/match.ts'
import { readPath } from '../../../src/policy/path-views.ts'
import type { Authentication, Principal } from '../../../src/policy/principal.ts'
import type { Predicate } from '../../../src/policy/rule.ts'
import { buildSet, person } from '../../support/policy-builder.ts'

const NOW_MS = 1_700_000_100_000
const host = normalizeHost('app.example.com')
const reading = readPath('/a')
if (host === undefined || reading.kind !== 'read') throw new Error('fixture')
const factsOf = (method: string): RequestFacts => ({
  host,
  method,
  path: reading.path,
  preflight: false,
  origin: undefined,
  clientIp: undefined,
})

const group = fc.constantFrom('a', 'b', 'c', 'd')
const groupList = fc.uniqueArray(group, { minLength: 1, maxLength: 3 })
const predicate: fc.Arbitrary<Predicate> = fc.oneof(
  { weight: 4, arbitrary: groupList.map((anyOf): Predicate => ({ kind: 'groups', anyOf })) },
  { weight: 2, arbitrary: groupList.map((allOf): Predicate => ({ kind: 'all_groups', allOf })) },
  fc.constantFrom<Predicate>(
    { kind: 'methods', anyOf: ['GET'] },
    { kind: 'until', atMs: NOW_MS - 1, text: '2020-01-01' } as Predicate,
    { kind: 'auth_age', maxSeconds: 60 },
    { kind: 'claim', name: 'team', anyOf: ['x'] },
    { kind: 'authenticated' },
    { kind: 'mfa' },
  ),
)
const rules = fc.array(fc.array(predicate, { minLength: 1, maxLength: 3 }), { minLength: 8, maxLength: 14 })

const caller: fc.Arbitrary<Principal> = fc
  .record({
    groups: fc.uniqueArray(group, { maxLength: 3 }),
    hasGroups: fc.boolean(),
    groupsComplete: fc.boolean(),
    isCut: fc.boolean(),
    kind: fc.constantFrom<Principal['kind']>('person', 'machine'),
  })
  .map(({ groups, hasGroups, groupsComplete, isCut, kind }) => {
    const known = person('ada', groups)
    const claims = new Map(known.claims)
    if (!hasGroups) claims.delete('groups')
    return { ...known, kind, claims, groupsComplete, cut: new Set(isCut ? ['groups'] : []) }
  })

describe('the rules that are worth a walk', () => {
  it('decide what all rules decide: outcome, rule, reason, demand', () => {
    fc.assert(
      fc.property(
        rules,
        fc.option(caller, { nil: undefined }),
        fc.constantFrom('GET', 'POST'),
        (allow, principal, method) => {
          const facts = factsOf(method)
          const set = buildSet([
            {
              route: 'app',
              hosts: ['app.example.com'],
              sections: [
                { path: '/', allow: Object.fromEntries(allow.map((one, index) => [`r${index}`, one])) },
              ],
            },
          ])
          const match = matchRoute(set, facts)
          const authentication: Authentication =
            principal === undefined ? { kind: 'anonymous', note: undefined } : { kind: 'verified', principal }
          // A trace shows every rule, so it walks them all.
          const whole = evaluate(
            match,
            facts,
            () => authentication,
            NOW_MS,
            () => undefined,
          )
          expect(evaluate(match, facts, () => authentication, NOW_MS)).toEqual(whole)
        },
      ),
      { numRuns: 4000 },
    )
  })

  it('are those of the caller alone in a long list', () => {
    const set = buildSet([
      {
        route: 'app',
        hosts: ['app.example.com'],
        sections: [
          {
            path: '/',
            allow: Object.fromEntries(
              Array.from({ length: 50 }, (_, index) => [
                `r${index}`,
                [{ kind: 'groups', anyOf: [`g${index}`] }],
              ]),
            ),
          },
        ],
      },
    ])
    const match = matchRoute(set, factsOf('GET'))
    if (match.kind !== 'matched') throw new Error(match.kind)
    const walked = allowsToWalk(match.sections[0], person('ada', ['g3', 'g40', 'other']))
    expect(walked.map(({ id }) => id)).toEqual(['r3', 'r40'])
  })
})
