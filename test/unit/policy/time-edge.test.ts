// A cached decision ends where time alone would change it.
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../src/policy/principal.ts'
import type { Predicate } from '../../../src/policy/rule.ts'
import { nextTimeEdgeMs } from '../../../src/policy/time-edge.ts'
import { buildRoute, person } from '../../support/policy-builder.ts'

const NOW = Date.UTC(2026, 10, 24)
const edge = (predicates: readonly Predicate[], caller?: Principal, nowMs = NOW): number =>
  nextTimeEdgeMs(
    buildRoute({ route: 'a', hosts: ['a.example.com'], sections: [{ path: '/', allow: { x: predicates } }] })
      .sections,
    caller,
    nowMs,
  )

describe('the next edge', () => {
  const UNTIL: Predicate = { kind: 'until', atMs: NOW + 5000, text: 'soon' }
  it('is the end of a rule, until it is over', () => {
    expect(edge([UNTIL])).toBe(NOW + 5000)
    expect(edge([UNTIL], undefined, NOW + 4999)).toBe(NOW + 5000)
    expect(edge([UNTIL], undefined, NOW + 5000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is the age at which a sign-in is too old', () => {
    const age: Predicate = { kind: 'auth_age', maxSeconds: 600 }
    const caller = person('ann', [], { authTimeSeconds: NOW / 1000 - 590 })
    expect(edge([age], caller)).toBe(NOW + 10_000)
    expect(edge([age], { ...caller, authTimeSeconds: undefined })).toBe(Number.POSITIVE_INFINITY)
    expect(edge([age])).toBe(Number.POSITIVE_INFINITY)
  })

  it('is the end of a remembered step-up', () => {
    const caller = person('ann', [], { stepUp: { rule: 'a#x', atSeconds: NOW / 1000 - 299 } })
    expect(edge([{ kind: 'mfa' }], caller)).toBe(NOW + 1000)
  })

  it('is the first of several, and none where nothing depends on time', () => {
    expect(edge([UNTIL, { kind: 'until', atMs: NOW + 9000, text: 'later' }])).toBe(NOW + 5000)
    expect(edge([{ kind: 'authenticated' }], person('ann', []))).toBe(Number.POSITIVE_INFINITY)
  })
})
