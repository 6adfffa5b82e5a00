import { describe, expect, test } from 'vitest'
import { fitSession, type FitPolicy } from '../../../src/identity/session-fit.ts'
import { sessionBytes } from '../../../src/identity/session-seal.ts'
import { aliceSession } from './session-fixture.ts'

const policy: FitPolicy = {
  headerOnlyClaims: new Set(['picture', 'profile']),
  namedGroups: new Set(['dev', 'admins']),
  groupsRevision: 'rev-7',
}

const groups = ['dev', ...Array.from({ length: 50 }, (_, index) => `team-${index}`)]
const session = aliceSession({
  claims: { email: 'alice@example.com', picture: 'p'.repeat(400), profile: 'f'.repeat(200), groups },
  captured: ['email', 'picture', 'profile', 'groups', 'name'],
})

describe('a session', () => {
  test('that fits stays as it is', () => {
    expect(fitSession(session, sessionBytes(session), policy)).toBe(session)
  })

  test('loses first the longest claim that only headers read, and no group', () => {
    const fitted = fitSession(session, sessionBytes(session) - 1, policy)
    expect(Object.keys(fitted.claims)).toEqual(['email', 'profile', 'groups'])
    expect(fitted.captured).toEqual(['email', 'profile', 'groups', 'name'])
    expect(fitted.claims['groups']).toEqual(groups)
    expect(fitted.groupsRevision).toBeUndefined()
  })

  test('loses next the groups that no policy names, and seals the revision of that list in', () => {
    const fitted = fitSession(session, 600, policy)
    expect(Object.keys(fitted.claims)).toEqual(['email', 'groups'])
    expect(fitted.claims['groups']).toEqual(['dev'])
    expect(fitted).toMatchObject({ groupsRevision: 'rev-7', captured: ['email', 'groups', 'name'] })
    expect(sessionBytes(fitted)).toBeLessThanOrEqual(600)
  })

  test('keeps what rules read even where it does not fit then', () => {
    const fitted = fitSession(session, 10, policy)
    expect(fitted.claims).toEqual({ email: 'alice@example.com', groups: ['dev'] })
    expect(sessionBytes(fitted)).toBeGreaterThan(10)
  })
})
