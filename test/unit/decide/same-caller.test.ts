// Equal parts are kept once; what differs in the least stays what it is, whatever name it comes under.
import { describe, expect, it } from 'vitest'
import type { Ruling } from '../../../src/decide/ruling.ts'
import { makeSameCaller } from '../../../src/decide/same-caller.ts'
import { person } from '../../support/policy-builder.ts'

const rulingOf = (name: string, groups: readonly string[], header = name): Ruling => ({
  decision: { outcome: 'deny', reason: 'DENY_NO_RULE' } as unknown as Ruling['decision'],
  route: undefined,
  section: undefined,
  verified: {
    authentication: { kind: 'verified', principal: person(name, groups) },
    consumed: 'cookie',
    foreignAuthorization: false,
    note: undefined,
    revocable: undefined,
  },
  identityHeaders: ['X-Auth-Request-User', header],
  preparedUntilMs: 1,
  cache: 'hit',
})

describe('two rulings under one name', () => {
  it('share what is equal', () => {
    const same = makeSameCaller()
    const first = same('one', rulingOf('ada', ['sre']))
    const second = same('one', rulingOf('ada', ['sre']))
    expect(second).toEqual(rulingOf('ada', ['sre']))
    expect(second.verified).toBe(first.verified)
    expect(second.identityHeaders).toBe(first.identityHeaders)
  })

  it.each([
    ['another person', rulingOf('ben', ['sre'])],
    ['other groups', rulingOf('ada', ['sre', 'ops'])],
    ['another header', rulingOf('ada', ['sre'], 'eve')],
  ])('keep each its own where it is about %s', (_, other) => {
    const same = makeSameCaller()
    const first = same('one', rulingOf('ada', ['sre']))
    expect(same('one', other)).toEqual(other)
    expect(same('one', rulingOf('ada', ['sre']))).toEqual(first)
  })

  it('share nothing under two names', () => {
    const same = makeSameCaller()
    const first = same('one', rulingOf('ada', ['sre']))
    expect(same('other', rulingOf('ada', ['sre'])).verified).not.toBe(first.verified)
  })
})
